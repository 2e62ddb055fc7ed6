"""`lockstep data`: which data sets there are, and what is in one."""

from typing import Any

import click

from lockstep.app.cli.data_import import import_data
from lockstep.app.cli.options import Command, examples, json_option, kind_option
from lockstep.app.cli.root import Subcommands


@click.group("data", cls=Subcommands, epilog=examples("lockstep data list", "lockstep data show us_stocks"))
def command() -> None:
    """Show what data there is, and import more.

    Data sets ship with Lockstep, or are files and folders (CSV, Parquet, zips of Lean's, recordings of books) in the folder data under
    LOCKSTEP_HOME, by default ~/.lockstep. What `import` reads goes into the catalog there, which `--data catalog` means.
    A path works wherever a data set does.
    """


@command.command("list", cls=Command, epilog=examples("lockstep data list", "lockstep data list --json"))
@json_option
def list_data(as_json: bool) -> None:
    """List the data sets by name, and what the catalog holds."""
    import msgspec

    from lockstep.app.cli.console import plain_table, print_json, say, screen, show
    from lockstep.store.catalog.catalog import Catalog
    from lockstep.store.catalog.times import time_text

    catalog = Catalog()
    entries = catalog.datasets()
    if as_json:
        print_json(
            {
                "home": str(catalog.home),
                "datasets": [msgspec.to_builtins(entry) for entry in entries],
                "catalog": [msgspec.to_builtins(held) for held in catalog.holdings()],
            }
        )
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
    holdings = catalog.holdings()
    if holdings:
        say(console, f"\nIn the catalog ({catalog.vault.home}), for --data catalog:\n")
        table = plain_table("instrument", "holds", "rows", "from", "to", right=("rows", "from", "to"))
        for held in holdings:
            times = time_text(held.first_ns)[:10], time_text(held.last_ns)[:10]
            table.add_row(held.instrument, held.series, f"{held.rows:,}", *times)
        show(console, table)
    say(
        console,
        f"\nYour own: put a file or a folder into {catalog.home / 'data'}, or give its path to --data; to keep it in the catalog: lockstep data import",
        "dim",
    )


_SYMBOLS_MAX = 8


@command.command(
    "show",
    cls=Command,
    epilog=examples("lockstep data show us_stocks", "lockstep data show us_stocks --symbol AAPL --rows 5 --json"),
)
@click.argument("which", metavar="PATH|DATASET")
@click.option("--symbol", "symbols", multiple=True, metavar="S", help="Only this symbol; repeatable.")
@kind_option
@click.option("--rows", default=3, show_default=True, type=click.IntRange(0, 10_000), metavar="N", help="Rows from each end.")  # fmt: skip
@click.option("--asset-class", metavar="NAME", help="Where the data does not say.")
@click.option("--calendar", "--session", "calendar", metavar="NAME", help="Where the data does not say.")
@json_option
def show_data(
    which: str,
    symbols: tuple[str, ...],
    kind: str | None,
    rows: int,
    asset_class: str | None,
    calendar: str | None,
    as_json: bool,
) -> None:
    """Show what is in a data set, file or the catalog: facts, what was assumed, bars, ticks or changes of the book, splits and dividends.

    A symbol may stand for the catalog, where that holds it, or for the one data set that does: `lockstep data show AAPL`.
    """
    from lockstep.app.cli.console import print_json, screen
    from lockstep.app.cli.histories import history_of, show_histories
    from lockstep.store.catalog.readers import read_market_data

    which, symbols = meant(which, symbols)
    kind = kind or kind_shown(which, symbols)
    found = read_market_data(which, symbols=symbols or None, asset_class=asset_class, session=calendar, kind=kind)
    histories: list[dict[str, Any]] = [history_of(entry, rows) for entry in found]
    if as_json:
        print_json({"data": which, "instruments": histories})
        return
    show_histories(screen(), which, histories)


def kind_shown(which: str, symbols: tuple[str, ...]) -> str | None:
    """What of the catalog is shown where no kind was chosen: bars, or else the ticks there are."""
    from lockstep.store.catalog.readers import vault_at
    from lockstep.store.catalog.shapes import KINDS

    vault = vault_at(which)
    if vault is None:
        return None
    entries = [vault.find(symbol) for symbol in symbols] or vault.entries()
    held = {series.kind for entry in entries for series in entry.series.values()}
    if "books" in held and "bars" not in held:
        return "depth"
    return "bars" if "bars" in held else next((kind for kind, names in KINDS.items() if set(names) == held), None)


def meant(which: str, symbols: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """A symbol alone means the catalog or the one data set that holds it; anything else means itself."""
    from lockstep.model.errors import UsageError
    from lockstep.store.catalog.catalog import Catalog
    from lockstep.store.catalog.places import CATALOG, locate
    from lockstep.store.catalog.readers import vault_at

    if vault_at(which) is not None:
        return which, symbols
    try:
        locate(which)
    except UsageError:
        if not symbols and Catalog().holds(which):
            return CATALOG, (which,)
        holders = [entry.name for entry in Catalog().datasets() if which.upper() in entry.symbols]
        if len(holders) == 1 and not symbols:
            return holders[0], (which.upper(),)
        raise
    return which, symbols


@command.command("check", cls=Command, epilog=examples("lockstep data check", "lockstep data check --json"))
@json_option
def check_data(as_json: bool) -> None:
    """Read every file of the catalog and compare it with the hash it was imported with."""
    from lockstep.app.cli.console import print_json, say, screen
    from lockstep.model.errors import DataError
    from lockstep.store.catalog.catalog import Catalog

    vault = Catalog().vault
    files, wrong = vault.check()
    if as_json:
        print_json({"catalog": str(vault.home), "files": files, "problems": wrong})
    elif not wrong:
        say(screen(), f"{files} files, all as they were imported: {vault.home}")
    if wrong:
        raise DataError(
            f"{len(wrong)} problem{'s' if len(wrong) > 1 else ''} in the catalog: " + "; ".join(wrong[:3]),
            hint="import those periods again with --replace",
        )


command.add_command(import_data)
