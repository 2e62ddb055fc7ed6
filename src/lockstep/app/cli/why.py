"""`lockstep why`: the chain from an event to the end of an order."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, examples, json_option
from lockstep.app.cli.replay import data_option

if TYPE_CHECKING:
    from lockstep.run.recorded import Recorded

EXAMPLES = examples(
    "lockstep new my_strategy --force",
    "lockstep backtest my_strategy.py --data us_stocks --symbol IBM --no-sensitivity --record recorded",
    "lockstep why 1 --journal recorded",
    "lockstep why 1 --journal recorded --json",
)
journal_option = click.option(
    "--journal", "folder", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="What lockstep backtest --record left."
)  # fmt: skip
_PLACE = ("link", "ts", "after_ns")
_UNITS = (
    (86_400 * 10**9, "d"),
    (3600 * 10**9, "h"),
    (60 * 10**9, "min"),
    (10**9, "s"),
    (10**6, "ms"),
    (10**3, "us"),
    (1, "ns"),
)


@click.command("why", cls=Command, epilog=EXAMPLES)
@click.argument("order_id", metavar="ORDER_ID", type=int)
@journal_option
@data_option
@json_option
def command(order_id: int, folder: Path, places: tuple[str, ...], as_json: bool) -> None:
    """Explain an order of a recording, from the event to its end.

    The event, the indicators and the numbers of each check are found by running the recording again up to the order; what
    followed is what was recorded. Without the data only the latter is told.
    """
    from lockstep.app.cli.console import RunProgress, print_json, prints_aside
    from lockstep.run.explain import explain
    from lockstep.run.recorded import Recorded

    with prints_aside(as_json), RunProgress() as progress:
        recorded = Recorded(folder)
        found = explain(recorded, order_id, lambda: recorded.backtest(places, reading=progress.reading))
    warn_of_broken_off(recorded)
    if as_json:
        print_json({"journal": str(folder), **found})
    else:
        _show(found)


def warn_of_broken_off(recorded: "Recorded") -> None:
    """What became of an order may lie behind the end of a recording that was cut off."""
    if recorded.broken_off:
        click.echo(f"warning: {recorded.broken_off}", err=True)


def _show(found: Mapping[str, Any]) -> None:
    from lockstep.app.cli.console import say, screen

    console = screen()
    order = found["order"]
    filled = f", filled {order['filled']} at {order['average_price']:g}" if order["average_price"] is not None else ""
    reason = f" ({order['reason']})" if order["reason"] != "NONE" else ""
    say(console, f"order {order['id']}: {order['strategy']} {order['side']} {order['qty']} {order['symbol']} {order['type']}: {order['state']}{reason}{filled}", "bold")  # fmt: skip
    for link in found["chain"]:
        after = f"+{span_text(link['after_ns'])}" if link["after_ns"] else ""
        text = f"{link['ts']:<30} {after:>11}  {link['link']:<11}{_words(link)}"
        say(console, text, "red" if link.get("passed") is False else "")
    if found["missing"]:
        say(console, f"not known: {found['missing']}", "yellow")


def _words(link: Mapping[str, Any]) -> str:
    match link["link"]:
        case "event":
            same = [name for name in ("ts_recv", "ts_event", "known_at") if link.get(name) == link["ts"]]
            return f"{link['handler'] or 'outside a handler'}: {_pairs(link, 'handler', *same)}"
        case "indicators":
            both = {**link["values"], **link["attributes"]}
            return f"{link['strategy']}: {_pairs(both)}" if both else link["strategy"]
        case "check":
            if link["actual"] is None and link["limit"] is None:
                return f"{link['rule'].lower()}: {'passed' if link['passed'] else 'refused'}"
            limit = "no limit" if link["limit"] is None else f"limit {link['limit']:,g}"
            actual = "unknown" if link["actual"] is None else f"{link['actual']:,g}"
            return f"{link['rule'].lower()}: {actual}, {limit}: {'passed' if link['passed'] else 'refused'}"
        case "transition" | "fill" | "order":
            return f"{link['record']}: {_pairs(link, 'record')}"
    return _pairs(link)


def _pairs(values: Mapping[str, Any], *without: str) -> str:
    shown = {name: value for name, value in values.items() if name not in (*_PLACE, *without) and value is not None}
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in shown.items())


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}"
    text = str(value)
    return text if text.isprintable() else json.dumps(text)  # no word of a strategy may pass for another line


def span_text(span_ns: int) -> str:
    """A time in its largest unit, three digits: 6.55 ms."""
    size, unit = next((size, unit) for size, unit in _UNITS if span_ns >= size or size == 1)
    return f"{span_ns / size:.3g} {unit}"
