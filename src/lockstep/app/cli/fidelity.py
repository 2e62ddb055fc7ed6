"""`lockstep research fidelity`: what became of real orders, and what the queue models say."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, examples, json_option

if TYPE_CHECKING:
    from lockstep.research.fidelity.report import Fidelity
    from lockstep.research.fidelity.study import Rival


@click.command("fidelity", cls=Command, epilog=examples("lockstep research fidelity --help"))
@click.argument("where", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--queue",
    "queues",
    multiple=True,
    metavar="MODEL",
    help="A queue model to compare besides, such as power:4; repeatable.",
)
@click.option("--markdown", is_flag=True, help="Print the tables in Markdown.")
@json_option
def command(where: tuple[Path, ...], queues: tuple[str, ...], markdown: bool, as_json: bool) -> None:
    """Measure how well the queue models foretell what became of real orders.

    FILE or FOLDER: recordings of single orders (Databento mbo, LOBSTER messages, Bitstamp live orders). Each real passive order is
    taken out, and one of ours put in its place. Half of the orders, by their ids, choose n of the model power; the other half
    is what the tables are about. docs/guides/fill-fidelity.md says how, and what came out.
    """
    from lockstep.app.cli.console import plain_table, print_json, say, screen, show
    from lockstep.research.fidelity.report import fidelity as measure
    from lockstep.research.fidelity.report import read_tapes, rivals
    from lockstep.research.fidelity.text import markdown as as_markdown
    from lockstep.research.fidelity.text import tables

    wanted = _wanted(queues)
    models = [*rivals(), *(one for one in wanted if one.name not in {rival.name for rival in rivals()})]
    found = [measure(tape, models) for path in where for tape in read_tapes(path)]
    if as_json:
        print_json({"recordings": [_plain(one) for one in found]})
        return
    console = screen()
    for one in found:
        if markdown:
            say(console, as_markdown(one) + "\n")
            continue
        for table in tables(one):
            say(console, f"\n{table.title}", "bold")
            shown = plain_table(*table.columns, right=table.columns[1:])
            for cells in table.rows:
                shown.add_row(*cells)
            show(console, shown)


def _wanted(queues: tuple[str, ...]) -> "list[Rival]":
    """The models that were asked for. Raises: UsageError: one of them is none."""
    from lockstep.model.errors import UsageError
    from lockstep.research.fidelity.study import LEVELS, ORDERS, REBUILDS, Rival, queue
    from lockstep.sim.models import book_fills_from_text

    found = []
    for name in queues:
        fills = book_fills_from_text(name)
        if fills.queue == "auto":
            raise UsageError(
                "--queue auto is no model of its own", hint="every model it chooses from is compared anyway"
            )
        by = {"exact": ORDERS, "rebuilt": REBUILDS}.get(fills.queue, LEVELS)
        found.append(Rival(name, queue(fills.queue, float(fills.power)), by))
    return found


def _plain(found: "Fidelity") -> dict[str, Any]:
    """As plain data; null where there was nothing to divide by."""
    import msgspec

    plain: dict[str, Any] = _without_nan(msgspec.to_builtins(found))
    return plain


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
