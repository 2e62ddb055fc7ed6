"""`lockstep portfolio`: the account of a finished run, and where its profit came from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, examples, json_option, runs_option

if TYPE_CHECKING:
    from lockstep.analytics.attribution import Attribution

_BY = ("strategy", "symbol", "currency", "hour", "day", "month")
_SHOWN = ("realised", "unrealised", "fees", "dividends", "funding", "borrow", "net")
EXAMPLES = examples("lockstep demo", "lockstep portfolio", "lockstep portfolio --by month --json")


@click.command("portfolio", cls=Command, epilog=EXAMPLES)
@click.argument("run", required=False)
@click.option(
    "--by", default="strategy", show_default=True, type=click.Choice(_BY), help="What the profit is summed by."
)
@runs_option
@json_option
def command(run: str | None, by: str, root: Path, as_json: bool) -> None:
    """Show the account of a run, and where its profit came from.

    RUN is a hash from `lockstep runs`, or a folder; by default the newest. Every grouping sums to the account, to the
    unit. Times are UTC; "hour" is the hour of the day.
    """
    from lockstep.analytics.attribution import attribution
    from lockstep.app.cli.console import print_json
    from lockstep.app.cli.report import newest
    from lockstep.store.runs import RunFolder

    folder = newest(root) if run is None else RunFolder.open(run, root)
    found = attribution(folder.manifest, folder.table, by)
    account = folder.manifest["account"]
    if as_json:
        print_json(
            {
                "run_hash": folder.run_hash,
                "currency": found.currency,
                "by": by,
                "rows": [_plain(row) for row in found.rows],
                "total": _plain(found.total),
                "statement": account["statement"],
                "readings": account["readings"],
            }
        )
        return
    _show(found, account)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{value:f}" if name in _SHOWN else value for name, value in row.items()}


def _show(found: "Attribution", account: dict[str, Any]) -> None:
    from lockstep.app.cli.console import plain_table, say, screen, show

    console = screen()
    shown = [name for name in _SHOWN if name in ("realised", "unrealised", "fees", "net") or found.total[name]]
    table = plain_table(found.by, "fills", *shown, right=("fills", *shown))
    for row in (*found.rows, found.total):
        table.add_row(row["group"], f"{row['fills']:,}", *(f"{row[name]:,.2f}" for name in shown))
    show(console, table)
    readings, statement = account["readings"], account["statement"]
    cash = ", ".join(f"{float(amount):,.2f} {currency}" for currency, amount in statement["cash"].items())
    say(console, f"Equity  {float(statement['equity']):,.2f} {found.currency}; cash {cash}")
    if round(found.exchange, 2):  # rounding alone is less than what is shown
        say(console, f"        {found.exchange:,.2f} of it from changes of rates and rounding")
    if readings["gross"]:
        say(
            console,
            f"Held    gross {readings['gross']:,.2f}, net {readings['net']:,.2f}, margin {readings['margin_used']:,.2f}; "
            f"largest weight {readings['concentration']:.0%}{'; margin call' if readings['margin_call'] else ''}",
        )
