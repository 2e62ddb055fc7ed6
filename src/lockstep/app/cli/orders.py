"""`lockstep orders`: what became of the orders of a recording."""

from pathlib import Path
from typing import Any

import click

from lockstep.app.cli.options import Command, examples, json_option
from lockstep.app.cli.why import journal_option, warn_of_broken_off

EXAMPLES = examples(
    "lockstep new my_strategy --force",
    "lockstep backtest my_strategy.py --data us_stocks --no-sensitivity --record recorded",
    "lockstep orders --journal recorded --status FILLED --symbol IBM",
    "lockstep orders --journal recorded --status REJECTED --status DENIED --json",
)
_COLUMNS = (
    "id",
    "ts",
    "strategy",
    "symbol",
    "side",
    "type",
    "qty",
    "price",
    "filled",
    "average_price",
    "state",
    "reason",
)
_RIGHT = ("id", "qty", "price", "filled", "average_price")


@click.command("orders", cls=Command, epilog=EXAMPLES)
@journal_option
@click.option("--status", "states", multiple=True, metavar="STATE", help="Only orders that ended in this state, such as REJECTED; repeatable.")  # fmt: skip
@click.option("--symbol", "symbols", multiple=True, metavar="S", help="Only of this symbol; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N.")
@json_option
def command(folder: Path, states: tuple[str, ...], symbols: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """List the orders of a recording, and what became of them.

    One line an order, in the order in which they were made; `lockstep why` explains one of them.
    """
    from itertools import islice

    from lockstep.app.cli.console import plain_table, print_json, say, screen, show
    from lockstep.run.order_log import OrderLog
    from lockstep.run.recorded import Recorded

    recorded = Recorded(folder)
    log = OrderLog(recorded)
    found = list(islice(log.summaries(states, symbols), limit))
    warn_of_broken_off(recorded)
    if as_json:
        print_json({"journal": str(folder), "orders": found, "total": len(log.ids)})
        return
    console = screen()
    if found:
        table = plain_table(
            *(name.replace("_", " ") for name in _COLUMNS), right=tuple(n.replace("_", " ") for n in _RIGHT)
        )
        for order in found:
            table.add_row(*(_cell(order, name) for name in _COLUMNS))
        show(console, table)
    say(console, f"{len(found):,} of {len(log.ids):,} orders", "dim")


def _cell(order: dict[str, Any], name: str) -> str:
    if name == "price":
        prices = (order["limit_price"], order["stop_price"])
        return " / ".join(price for price in prices if price is not None)
    value = order[name]
    if value is None or value == "NONE":
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
