"""What `lockstep data show` says of one instrument's history: facts, bars from each end, corporate actions."""

from typing import Any

import msgspec
import numpy as np
from rich.console import Console

from lockstep.app.cli.console import plain_table, say, show
from lockstep.model.enums import BookAction, BookFault, BookState, CorporateAction, EventKind
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.times import time_text

_ACTIONS_SHOWN = 12
_NANOS = {"d": 86_400 * 10**9, "h": 3600 * 10**9, "min": 60 * 10**9, "s": 10**9}


def history_of(data: MarketData, rows: int) -> dict[str, Any]:
    """One instrument as plain data.

    Args:    rows: from each end.
    Returns: the instrument's and the data's facts; `first` and `last`, rows with symbol and timestamp (ISO UTC, of a bar
             its end) and: of bars open, high, low, close, volume, bid and ask (null: bars have none); of quotes bid, ask,
             bid_qty, ask_qty; of trades price, qty, side, trade_id; of books action, side, price, qty, order_id, sequence, full,
             last (of a STATUS action, state and reason instead of price and qty); `actions`.
    """
    first: list[dict[str, Any]] = []
    last: list[dict[str, Any]] = []
    actions: list[dict[str, Any]] = []
    for chunk in data.chunks():
        kinds = chunk["kind"]
        actions += [_action(record) for record in chunk[kinds == EventKind.CORPORATE_ACTION]]
        rest = chunk[kinds != EventKind.CORPORATE_ACTION]
        if len(first) < rows:
            first += [row_of(data, record) for record in rest[: rows - len(first)]]
        if rows:
            last = (last + [row_of(data, record) for record in rest[-rows:]])[-rows:]
    instrument = data.instrument
    return {
        "instrument": {
            "id": instrument.id,
            "symbol": instrument.symbol,
            "venue": instrument.venue,
            "asset_class": instrument.asset_class.name.lower(),
            "currency": instrument.currency,
            "price_decimals": instrument.price_decimals,
            "qty_decimals": instrument.qty_decimals,
            "session": instrument.session.name,
            "periods_per_year": instrument.session.periods_per_year,
            "fees": instrument.fees.text(),
        },
        **msgspec.to_builtins(data.info),
        "first": first,
        "last": last,
        "actions": actions,
    }


def _tick(data: MarketData, record: np.void) -> dict[str, Any]:
    price, qty = 10.0**data.instrument.price_decimals, 10.0**data.instrument.qty_decimals
    common = {"symbol": data.instrument.symbol, "timestamp": time_text(int(record["ts_event"]))}
    if data.info.kind == "quote":
        return common | {
            "bid": int(record["p0"]) / price, "ask": int(record["p1"]) / price,
            "bid_qty": int(record["p2"]) / qty, "ask_qty": int(record["p3"]) / qty,
        }  # fmt: skip
    if data.info.kind == "book":
        return common | _change(record, price, qty)
    return common | {
        "price": int(record["p0"]) / price, "qty": int(record["p1"]) / qty, "side": _SIDES[int(record["aux"])],
        "trade_id": int(record["p2"]) or None,
    }  # fmt: skip


def _change(record: np.void, price: float, qty: float) -> dict[str, Any]:
    """A change of the book as plain data; price, qty: units in one."""
    flags = int(record["flags"])
    action = BookAction(flags & BOOK_ACTION)
    status = action is BookAction.STATUS
    return {
        "action": action.name, "side": {1: "ask", 3: "bid"}.get(int(record["aux"])),
        "price": None if status else int(record["p0"]) / price, "qty": None if status else int(record["p1"]) / qty,
        "state": BookState(int(record["p0"])).name if status else None,
        "reason": BookFault(int(record["p1"])).name if status else None,
        "order_id": int(record["p2"]) or None, "sequence": int(record["p3"]) or None,
        "full": bool(flags & BOOK_FULL), "last": bool(flags & BOOK_LAST),
    }  # fmt: skip


_SIDES = {0: None, 1: "sell", 3: "buy"}


def row_of(data: MarketData, record: np.void) -> dict[str, Any]:
    """One bar, quote, trade or change of the book as plain data."""
    return _bar(data, record) if data.info.kind == "bar" else _tick(data, record)


def _bar(data: MarketData, record: np.void) -> dict[str, Any]:
    scale = 10.0**data.instrument.price_decimals
    return {
        "symbol": data.instrument.symbol,
        "timestamp": time_text(int(record["ts_event"])),
        "open": int(record["p0"]) / scale,
        "high": int(record["p1"]) / scale,
        "low": int(record["p2"]) / scale,
        "close": int(record["p3"]) / scale,
        "volume": float(record["volume"]),
        "bid": None,
        "ask": None,
    }


def _action(record: np.void) -> dict[str, Any]:
    at = time_text(int(record["ts_event"]))
    a, b = int(record["p0"]), int(record["p1"])
    if int(record["aux"]) == CorporateAction.SPLIT:
        return {"timestamp": at, "kind": "split", "ratio": f"{a}:{b}", "amount": None}
    return {"timestamp": at, "kind": "dividend", "ratio": None, "amount": a / 10.0**b}


def show_histories(console: Console, which: str, histories: list[dict[str, Any]]) -> None:
    """The same for people: a table of all, and the bars where it is about one instrument. The hint names a kind that shows rows."""
    table = plain_table(
        "symbol", "rows", "of", "from", "to", "gaps", "splits", "dividends",
        right=("rows", "of", "from", "to", "gaps", "splits", "dividends"),
    )  # fmt: skip
    for one in histories:
        table.add_row(
            one["symbol"], f"{one['rows']:,}", length_text(one["bar_ns"]) if one["bar_ns"] else f"{one['kind']}s", time_text(one["first_ns"])[:10],
            time_text(one["last_ns"])[:10], f"{one['gaps']:,}", f"{one['splits']:,}", f"{one['dividends']:,}",
        )  # fmt: skip
    show(console, table)
    say(console, "")
    for note in dict.fromkeys(note for one in histories for note in one["notes"]):
        say(console, f"- {note}")
    unmodelled = [one["symbol"] for one in histories if one["adjustments"] != "applied" and one["kind"] == "bar"]
    if unmodelled:
        say(console, f"- splits and dividends not modelled: {' '.join(unmodelled)}", "yellow")
    if len(histories) > 1:
        one = histories[0]
        kind = f" --kind {one['kind']}s" if len({entry["kind"] for entry in histories}) > 1 else ""
        say(console, f"\nIts rows: lockstep data show {which} --symbol {one['symbol']}{kind}", "cyan")
        return
    _show_one(console, histories[0])


def _show_one(console: Console, one: dict[str, Any]) -> None:
    facts = one["instrument"]
    say(console, f"- {facts['asset_class']} in {facts['currency']}, session {facts['session']}, fees {facts['fees']}")
    say(console, f"- content {one['content_hash']}")
    bars = one["first"] + [bar for bar in one["last"] if bar not in one["first"]]
    if bars:
        say(console, "")
        names = [
            name
            for name in bars[0]
            if name not in ("symbol", "timestamp") and (one["kind"] != "bar" or bars[0][name] is not None)
        ]
        table = plain_table("end of bar (UTC)" if one["kind"] == "bar" else "time (UTC)", *names, right=tuple(names))
        for k, bar in enumerate(bars):
            if k == len(one["first"]) and one["rows"] > len(bars):
                table.add_row(f"... {one['rows'] - len(bars):,} more", *[""] * len(names), style="dim")
            table.add_row(bar["timestamp"], *[_cell(name, bar[name], facts["price_decimals"]) for name in names])
        show(console, table)
    if one["actions"]:
        say(console, "")
        for action in one["actions"][:_ACTIONS_SHOWN]:
            told = action["ratio"] if action["kind"] == "split" else f"{action['amount']:g} a share"
            say(console, f"{action['timestamp'][:10]}  {action['kind']} {told}")
        more = len(one["actions"]) - _ACTIONS_SHOWN
        if more > 0:
            say(console, f"... and {more} more: --json has them all", "dim")


def _cell(name: str, value: Any, price_decimals: int) -> str:
    if value is None:
        return "-"
    if name in _PRICES:
        return f"{value:,.{price_decimals}f}"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


_PRICES = ("open", "high", "low", "close", "bid", "ask", "price")


def length_text(bar_ns: int) -> str:
    """The length of a bar in its largest whole unit: "1 d", "5 min"."""
    for unit, size in _NANOS.items():
        if bar_ns >= size and bar_ns % size == 0:
            return f"{bar_ns // size} {unit}"
    return f"{bar_ns:,} ns"
