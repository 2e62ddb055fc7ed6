"""`lockstep data import`: files into the catalog, all of them or none."""

from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, examples, json_option, kind_option

if TYPE_CHECKING:
    from lockstep.store.catalog.instruments import Wishes
    from lockstep.store.catalog.market_data import MarketData
    from lockstep.store.catalog.vault.vault import Outcome


@click.command(
    "import",
    cls=Command,
    epilog=examples("lockstep data import us_stocks --dry-run", "lockstep data import us_stocks --json"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--symbol", metavar="S", help="The instrument, where the file names none.")
@click.option("--venue", metavar="V", help="Where it trades; part of the instrument's id.")
@kind_option
@click.option("--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of epoch numbers.")
@click.option("--zone", metavar="ZONE", help="Of times that have none: UTC, America/New_York ...")
@click.option("--timeframe", metavar="TEXT", help="Length of a bar, such as 1m, where the steps do not tell it.")
@click.option("--asset-class", metavar="NAME", help="equity, crypto, fx, future, option or index.")
@click.option("--calendar", "--session", "calendar", metavar="NAME", help="24/7, weekdays, XNYS, XNYS-extended or FX.")
@click.option("--replace", is_flag=True, help="Let new rows take the place of stored ones that differ; allow finer decimals.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read and check everything, show what would happen, change nothing.")
@json_option
def import_data(files: tuple[str, ...], as_json: bool, replace: bool, dry_run: bool, **given: Any) -> None:
    """Import bars, quotes, trades and order books into the catalog: CSV (also .gz), Parquet, Lean's zips, recordings of books, folders of these.

    What was inferred is shown; what could be meant in two ways is refused with the option that settles it. An import
    appears whole or not at all, and rows that are stored already are not stored again.
    """
    from lockstep.app.cli.console import RunProgress, print_json, screen
    from lockstep.model.errors import UsageError
    from lockstep.store.catalog.catalog import Catalog
    from lockstep.store.catalog.readers import read_files, vault_at

    wishes = _wishes(given)
    vault = Catalog().vault
    data: list[MarketData] = []
    with RunProgress() as progress:
        for file in files:
            if vault_at(file) is not None:
                raise UsageError(f"{file} is the catalog itself", hint="name the files to import")
            progress.reading(file)
            data += read_files(file, wishes=wishes, kind=given["kind"])
        total = sum(one.info.rows for one in data)
        outcome = vault.put(data, replace=replace, dry_run=dry_run, progress=lambda done: progress.storing(done, total))
    facts = {
        "catalog": str(vault.home),
        "dry_run": dry_run,
        "cleaned": outcome.cleaned,
        "imported": [_fact(one, stored) for one, stored in zip(data, outcome.stored, strict=True)],
    }
    if as_json:
        print_json(facts)
        return
    _show(screen(), facts, outcome)


def _wishes(given: dict[str, Any]) -> "Wishes":
    """The options as wishes. Raises: UsageError: a value that means nothing."""
    from zoneinfo import ZoneInfo

    import msgspec

    from lockstep.model.errors import UsageError
    from lockstep.model.timeframe import timeframe_ns
    from lockstep.store.catalog.instruments import wishes_from

    if given["zone"] is not None:
        try:
            ZoneInfo(given["zone"])
        except (ValueError, OSError, KeyError) as e:  # ZoneInfoNotFoundError is a KeyError
            raise UsageError(
                f"--zone: no such time zone: {given['zone']!r}", hint="for example UTC, America/New_York or Asia/Seoul"
            ) from e
    for name in ("symbol", "venue"):
        text = given[name]
        if text is not None and (not text.strip() or not text.isprintable() or (name == "venue" and "." in text)):
            raise UsageError(f"--{name} was {text!r}", hint="for example --symbol BTCUSD --venue BITFINEX")
    return msgspec.structs.replace(
        wishes_from(given["asset_class"], given["calendar"], None, None),
        symbol=given["symbol"] and given["symbol"].strip().upper(),
        venue=given["venue"] and given["venue"].strip().upper(),
        time_unit=given["time_unit"],
        zone=given["zone"],
        timeframe_ns=None if given["timeframe"] is None else timeframe_ns(given["timeframe"]),
        strict=True,
    )


def _fact(data: "MarketData", stored: Any) -> dict[str, Any]:
    from lockstep.store.catalog.times import time_text

    instrument = data.instrument
    return {
        "source": data.info.source,
        "instrument": instrument.id,
        "series": stored.series,
        "read": data.info.rows,
        "first": time_text(data.info.first_ns),
        "last": time_text(data.info.last_ns),
        "added": stored.added,
        "same": stored.same,
        "replaced": stored.replaced,
        "files": stored.files,
        "rows": stored.rows,
        "asset_class": instrument.asset_class.name.lower(),
        "currency": instrument.currency,
        "session": instrument.session.name,
        "price_decimals": instrument.price_decimals,
        "qty_decimals": instrument.qty_decimals,
        "notes": list(data.info.notes),
    }


def _show(console: Any, facts: dict[str, Any], outcome: "Outcome") -> None:
    from lockstep.app.cli.console import plain_table, say, show

    numbers = ("read", "from", "to", "decimals", "new", "stored before", "replaced")
    table = plain_table("instrument", "data", *numbers, right=numbers)
    for one in facts["imported"]:
        table.add_row(
            one["instrument"], one["series"], f"{one['read']:,}", one["first"][:10], one["last"][:10],
            str(one["price_decimals"]), f"{one['added']:,}", f"{one['same']:,}", f"{one['replaced']:,}",
        )  # fmt: skip
    for column in table.columns[:2]:
        column.no_wrap = True
    show(console, table)
    say(console, "\nInferred:")
    for note in dict.fromkeys(note for one in facts["imported"] for note in (_facts_note(one), *one["notes"])):
        say(console, f"- {note}")
    if outcome.cleaned:
        say(console, f"\n{outcome.cleaned} files that an unfinished import had left were removed", "yellow")
    if facts["dry_run"]:
        say(console, "\nA dry run: nothing was changed", "yellow")
    else:
        say(console, f"\nIn {facts['catalog']}; use it with --data catalog", "cyan")


def _facts_note(one: dict[str, Any]) -> str:
    return f"{one['instrument']}: {one['asset_class']} in {one['currency']}, session {one['session']}"
