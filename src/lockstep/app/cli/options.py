"""Options that several commands share, and how a command's help is laid out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])
SHORT_HASH = 12
"""Digits of a run hash that are shown: enough for any number of runs, short enough to type."""


def examples(*lines: str) -> str:
    """The epilog of a command's help: lines that run as they stand (a test runs them)."""
    return "\b\nExamples:\n" + "\n".join(f"  $ {line}" for line in lines)


class Command(click.Command):
    """A command that knows `--traceback`, which the root reads wherever it stands."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(
            click.Option(
                ["--traceback"], is_flag=True, expose_value=False, help="Show where in the code an error arose."
            )
        )


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
runs_option = click.option(
    "--runs",
    "root",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of runs.",
)
param_option = click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the strategy; repeatable."
)
class_option = click.option(
    "--class", "class_name", metavar="NAME", help="Which strategy class, where the file has several."
)
config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The settings file; by default lockstep.toml, .yaml, .yml or .json here.",
)
set_option = click.option(
    "--set", "words", multiple=True, metavar="KEY=VALUE", help="Say a setting above all else; repeatable."
)
kind_option = click.option(
    "--kind", metavar="KIND", help="bars, quotes, trades, or ticks (quotes and trades together); by default bars."
)
