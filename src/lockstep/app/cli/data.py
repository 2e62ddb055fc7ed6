"""`lockstep data`: which data sets there are, and what is in one."""

from typing import Any

import click

from lockstep.app.cli.options import Command, examples, json_option
from lockstep.app.cli.root import Subcommands


@click.group("data", cls=Subcommands, epilog=examples("lockstep data list", "lockstep data show us_stocks"))
def command() -> None:
    """Show the data sets, and what is in one.

    Data sets ship with Lockstep, or are files and folders (CSV, Parquet, zips of Lean bars) in the folder data under
    LOCKSTEP_HOME, by default ~/.lockstep. A path works wherever a data set does.
    """


@command.command("list", cls=Command, epilog=examples("lockstep data list", "lockstep data list --json"))
@json_option
def list_data(as_json: bool) -> None:
    """List the data sets by name."""
    import msgspec

    from lockstep.app.cli.console import plain_table, print_json, say, screen, show
    from lockstep.store.catalog.catalog import Catalog
    from lockstep.store.catalog.times import time_text

    catalog = Catalog()
    entries = catalog.datasets()
    if as_json:
        print_json({"home": str(catalog.home), "datasets": [msgspec.to_builtins(entry) for entry in entries]})
        return
    console = screen()
    table = plain_table("name", "kind", "symbols", "bars", "from", "to", right=("bars", "from", "to"))
    for entry in entries:
        if entry.problem:
            table.add_row(entry.name, entry.kind, "cannot be read", "-", "-", "-", style="red")
            continue
        symbols = " ".join(entry.symbols[:_SYMBOLS_MAX])
        more = len(entry.symbols) - _SYMBOLS_MAX
        table.add_row(
            entry.name,
            entry.kind,
            f"{symbols} and {more} more" if more > 0 else symbols,
            f"{entry.rows:,}",
            time_text(entry.first_ns)[:10],
            time_text(entry.last_ns)[:10],
        )
    show(console, table)
    for entry in entries:
        if entry.problem:
            say(console, f"warning: {entry.name}: {entry.problem}", "yellow")
    say(console, f"\nYour own: put a file or a folder into {catalog.home / 'data'}, or give its path to --data", "dim")


_SYMBOLS_MAX = 8


@command.command(
    "show",
    cls=Command,
    epilog=examples("lockstep data show us_stocks", "lockstep data show us_stocks --symbol AAPL --rows 5 --json"),
)
@click.argument("which", metavar="PATH|DATASET")
@click.option("--symbol", "symbols", multiple=True, metavar="S", help="Only this symbol; repeatable.")
@click.option("--rows", default=3, show_default=True, type=click.IntRange(0, 10_000), metavar="N", help="Bars from each end.")  # fmt: skip
@click.option("--asset-class", metavar="NAME", help="Where the data does not say.")
@click.option("--calendar", "--session", "calendar", metavar="NAME", help="Where the data does not say.")
@json_option
def show_data(
    which: str, symbols: tuple[str, ...], rows: int, asset_class: str | None, calendar: str | None, as_json: bool
) -> None:
    """Show what is in a data set or file: facts, what was assumed, bars, splits and dividends.

    A symbol that only one data set holds may stand for it: `lockstep data show AAPL`.
    """
    from lockstep.app.cli.console import print_json, screen
    from lockstep.app.cli.histories import history_of, show_histories
    from lockstep.store.catalog.readers import read_market_data

    which, symbols = meant(which, symbols)
    found = read_market_data(which, symbols=symbols or None, asset_class=asset_class, session=calendar)
    histories: list[dict[str, Any]] = [history_of(entry, rows) for entry in found]
    if as_json:
        print_json({"data": which, "instruments": histories})
        return
    show_histories(screen(), which, histories)


def meant(which: str, symbols: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """A symbol alone means the data set that holds it, where exactly one does; anything else means itself."""
    from lockstep.model.errors import UsageError
    from lockstep.store.catalog.catalog import Catalog
    from lockstep.store.catalog.places import locate

    try:
        locate(which)
    except UsageError:
        holders = [entry.name for entry in Catalog().datasets() if which.upper() in entry.symbols]
        if len(holders) == 1 and not symbols:
            return holders[0], (which.upper(),)
        raise
    return which, symbols
