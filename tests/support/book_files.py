"""Small recordings of books, written line by line: broken ones, and ones that state a rule. Their first prices are those of real files."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST
from lockstep.store.catalog.books.dbn import MBO
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

START_MS = 1_723_161_255_000
Levels = list[tuple[str, str]]


def depth(first: int, last: int, bids: Levels, asks: Levels, *, at: int = 0, late_ms: int = 5) -> str:
    """A line of a Binance recording, spot: changes first to last, sent `at` ms after the start."""
    sent = START_MS + at
    data = {"e": "depthUpdate", "E": sent, "s": "BTCUSDT", "U": first, "u": last, "b": bids, "a": asks}
    return f"{(sent + late_ms) * 1_000_000} " + json.dumps({"stream": "btcusdt@depth@100ms", "data": data})


def snapshot(number: int, bids: Levels, asks: Levels, *, at: int = 0, late_ms: int = 5) -> str:
    """The line of a depth snapshot."""
    return f"{(START_MS + at + late_ms) * 1_000_000} " + json.dumps(
        {"lastUpdateId": number, "bids": bids, "asks": asks}
    )


def recording(folder: Path, *lines: str, name: str = "binance_spot_btcusdt.raw") -> Path:
    """A file of lines."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def capture(folder: Path, exchange: str, *messages: dict[str, Any], name: str = "venue.jsonl") -> Path:
    """A capture of one connection, a message every millisecond."""
    lines = [json.dumps({"t": "header", "format": 2, "exchange": exchange})]
    for k, message in enumerate(messages):
        ts = 1_652_459_225 + (k + 1) / 1000
        lines.append(json.dumps({"t": "recv", "conn": "1", "ts": ts, "data": json.dumps(message)}))
    return recording(folder, *lines, name=name)


def mbo(folder: Path, *records: tuple[Any, ...], name: str = "es.dbn", schema: int = 0, cut: int = 0) -> Path:
    """A DBN file of (action, side, order id, price, size, flags) each, a second apart; prices in dollars."""
    rows = np.zeros(len(records), MBO)
    for k, (action, side, order_id, price, size, flags) in enumerate(records):
        at = 1_703_545_200_000_000_000 + k * 1_000_000_000
        rows[k] = (
            14,
            0xA0,
            1,
            17_077,
            at,
            order_id,
            round(price * 1e9),
            size,
            flags,
            0,
            ord(action),
            ord(side),
            at + 1000,
            0,
            k,
        )
    width = 22
    head = b"GLBX.MDP3".ljust(16, b"\0") + schema.to_bytes(2, "little") + (0).to_bytes(32, "little") + bytes(50)
    symbols = [(0).to_bytes(4, "little")] * 4
    mapping = (
        (1).to_bytes(4, "little")
        + b"ESH4".ljust(width, b"\0")
        + (1).to_bytes(4, "little")
        + bytes(8)
        + b"17077".ljust(width, b"\0")
    )
    meta = head + b"".join(symbols) + mapping
    data = b"DBN\x01" + len(meta).to_bytes(4, "little") + meta + rows.tobytes()
    path = folder / name
    path.write_bytes(data[: len(data) - cut])
    return path


def changes(data: MarketData) -> list[str]:
    """The records of a book as words: "SET bid 100 5 full last", "STATUS RESYNCING GAP", without what begins every recording."""
    found = [_words(record) for chunk in data.chunks() for record in chunk]
    begin = ["CLEAR both 0 0", "STATUS EMPTY NO_SNAPSHOT"]
    return found[2:] if found[:2] == begin else found


def _words(record: np.void) -> str:
    flags, first, second = int(record["flags"]), int(record["p0"]), int(record["p1"])
    action = BookAction(flags & BOOK_ACTION)
    if action is BookAction.STATUS:
        return f"STATUS {BookState(first).name} {BookFault(second).name}"
    side = {0: "both", 1: "ask", 3: "bid"}[int(record["aux"])]
    number = f" #{int(record['p2'])}" if record["p2"] else ""
    full = " full" if flags & BOOK_FULL else ""
    last = " last" if flags & BOOK_LAST else ""
    return f"{action.name} {side} {first} {second}{number}{full}{last}"


def book(path: Path) -> MarketData:
    """The only book of a file."""
    (found,) = read_market_data(path, kind="books")
    return found
