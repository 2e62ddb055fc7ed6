"""Where a run stands, as lines for a terminal: what `lockstep play` prints at a break."""

from collections.abc import Iterator, Mapping
from typing import Any

_WIDTH = 11


def state_lines(facts: Mapping[str, Any]) -> list[str]:
    """The facts of `run.standing`, each on a line."""
    account = facts["account"]
    lines = [
        ("clock", facts["time"]),
        ("account", _pairs({name: account[name] for name in ("equity", "cash", "gross", "realised", "fees")}) + f" {account['currency']}"),
        ("counts", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in facts["counts"].items())),
    ]  # fmt: skip
    lines += [("last", _event(entry)) for entry in facts["last_events"]]
    lines += [("position", _position(entry)) for entry in facts["positions"]] or [("position", "none")]
    lines += [("order", _order(entry)) for entry in facts["open_orders"]]
    for name, held in facts["strategies"].items():
        lines += _strategy(name, held)
    return [f"{label:<{_WIDTH}}{text}" for label, text in lines]


def _event(entry: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in entry.items() if name not in ("symbol", "kind", "time", "series")}
    made = f" (series {entry['series']})" if entry.get("series") else ""
    return f"{entry['symbol']} {entry['kind']}{made} {entry['time']}: {_pairs(rest)}"


def _position(entry: Mapping[str, Any]) -> str:
    rest = {name: entry[name] for name in ("average_price", "last_price", "unrealised")}
    return f"{entry['strategy']} {_value(entry['qty'])} {entry['symbol']}: {_pairs(rest)}"


def _order(entry: Mapping[str, Any]) -> str:
    prices = {name: entry[name] for name in ("limit_price", "stop_price") if entry[name] is not None}
    filled = f", filled {_value(entry['filled'])}" if entry["filled"] else ""
    return (
        f"{entry['id']} {entry['strategy']} {entry['side']} {_value(entry['qty'])} {entry['symbol']} {entry['type']}"
        f"{' ' + _pairs(prices) if prices else ''} {entry['time_in_force']} {entry['state']}{filled}"
    )


def _strategy(name: str, held: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    both = {**held["indicators"], **held["attributes"]}
    yield "strategy", f"{name}{': ' + _pairs(both) if both else ''}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.6g}" if abs(value) < 1 else f"{value:,.4f}".rstrip("0")  # fmt: skip
