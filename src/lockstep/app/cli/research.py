"""`lockstep research`: what the models of a simulation are worth, scored against recordings that tell more than they see."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, examples, json_option
from lockstep.app.cli.root import Subcommands

if TYPE_CHECKING:
    from rich.console import Console

    from lockstep.research.queues.score import QueueScore


@click.group("research", cls=Subcommands, epilog=examples("lockstep research rebuild orders.mbo.dbn.zst"))
def command() -> None:
    """Score what Lockstep takes for true against recordings.

    A model that guesses is compared with data that tell what it guesses at.
    """


@command.command(
    "rebuild",
    cls=Command,
    epilog=examples("lockstep research rebuild orders.mbo.dbn.zst", "lockstep research rebuild AMZN_message_1.csv.gz --best-only --json"),
)  # fmt: skip
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--levels", default=10, show_default=True, type=click.IntRange(1, 1000), metavar="N", help="Levels of each side that are looked at.")  # fmt: skip
@click.option("--every", default=100, show_default=True, type=click.IntRange(1), metavar="N", help="Compare after so many changes of the book.")  # fmt: skip
@click.option("--one-in", default=8, show_default=True, type=click.IntRange(1), metavar="N", help="Take out one order of so many, as if it were ours.")  # fmt: skip
@click.option(
    "--best-only", is_flag=True, help="The data tell the best level alone: take the queues that began in sight."
)
@json_option
def rebuild(files: tuple[Path, ...], levels: int, every: int, one_in: int, best_only: bool, as_json: bool) -> None:
    """Score the queue that is rebuilt behind levels and trades.

    From recordings that tell every order, levels and trades are made as others see them, without some of the orders. The queue that is
    rebuilt from those is compared with the true one: how many orders stand at a level, and how much stands ahead of each order
    that was taken out, beside two models that know no orders.
    """
    from lockstep.app.cli.console import print_json, screen
    from lockstep.research.queues.score import as_json as plain
    from lockstep.research.queues.score import score_file

    found: list[dict[str, Any]] = []
    console = screen()
    for path in files:
        scored = score_file(path, every=every, one_in=one_in, levels=levels, best_only=best_only)
        found.append({"file": path.name} | plain(scored))
        if not as_json:
            _show(console, path, scored)
    if as_json:
        print_json({"levels": levels, "every": every, "one_in": one_in, "best_only": best_only, "files": found})


def _show(console: "Console", path: Path, scored: "QueueScore") -> None:
    from lockstep.app.cli.console import plain_table, say, show
    from lockstep.research.queues.score import MODELS

    say(
        console,
        f"\n{scored.symbol}, {path.name}: {scored.rows:,} changes and trades, {scored.taken_out:,} orders taken out\n",
    )
    table = plain_table("orders at a level", "levels", "true", "error", "bias", "exact", right=("levels", "true", "error", "bias", "exact"))  # fmt: skip
    for name, part in scored.counts.items():
        table.add_row(
            name, f"{part.asked:,}", f"{part.orders:.2f}", f"{part.error:.2f}", f"{part.bias:+.2f}", f"{part.exact:.1%}"
        )
    show(console, table)
    say(console, "")
    columns = [f"{model} {what}" for what in ("error", "exact") for model in MODELS]
    table = plain_table("ahead of an order", "asked", *columns, right=("asked", *columns))
    for name, ahead in scored.ahead.items():
        errors = [f"{ahead.error[model]:.3f}" for model in MODELS]
        table.add_row(name, f"{ahead.asked:,}", *errors, *(f"{ahead.exact[model]:.1%}" for model in MODELS))
    show(console, table)
    whole, only, newest, parts = scored.cancels
    say(console, f"\nCancels of whole orders: {whole:,}; {only:,} the only one of its size at its level, {newest:,} of the others the newest of it. Of parts: {parts:,}.")  # fmt: skip
    say(console, "error: mean size; of what is ahead, as part of the level. even: power:1", "dim")
