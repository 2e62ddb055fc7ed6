"""Lean's equity ticks for every measured program: one reader, hence the very same events on both sides.

A folder holds a zip a day, `YYYYMMDD_quote.zip` or `YYYYMMDD_trade.zip`, with one CSV without a header. Times are ms
since midnight in New York, prices USD x 10,000. A quote row of the recording carries one side only, so the other is
carried forward, and a day's first event is the row that completes the pair. Rows marked suspicious are left out, and
quotes whose bid is above the ask, because no market stood there. Only the standard library: a rival's environment
holds the rival alone.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

PRICE_DECIMALS = 4
NEW_YORK = ZoneInfo("America/New_York")
_NS_PER_MS = 1_000_000


class LeanQuote(NamedTuple):
    """The best bid and ask after one row. Prices in 10**-4 USD, sizes in shares, ts_ns UTC."""

    ts_ns: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int


class LeanTrade(NamedTuple):
    """One print. Price in 10**-4 USD, size in shares, ts_ns UTC."""

    ts_ns: int
    price: int
    size: int


_Tick = TypeVar("_Tick", LeanQuote, LeanTrade)


def read_quotes(folder: Path, limit: int | None = None) -> list[LeanQuote]:
    """The first `limit` quotes of all days of a ticker's folder, oldest first; raises ValueError where there are none."""
    return _some(folder, "quote", (quote for path in _days(folder, "quote") for quote in _quotes_of(path)), limit)


def read_trades(folder: Path, limit: int | None = None) -> list[LeanTrade]:
    """The first `limit` trades of all days of a ticker's folder, oldest first; raises ValueError where there are none."""
    return _some(folder, "trade", (trade for path in _days(folder, "trade") for trade in _trades_of(path)), limit)


def _some(folder: Path, kind: str, events: Iterator[_Tick], limit: int | None) -> list[_Tick]:
    found = list(islice(events, limit))
    if not found:
        raise ValueError(f"{folder.name}: no {kind}s, expected YYYYMMDD_{kind}.zip in Lean's tick format")
    return found


def _days(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"[0-9]*_{kind}.zip"))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(ns UTC, cells) of one day's rows."""
    midnight = datetime.strptime(path.name[:8], "%Y%m%d").replace(tzinfo=NEW_YORK)
    midnight_ns = int(midnight.timestamp()) * 1_000_000_000
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as raw:
        for cells in csv.reader(io.TextIOWrapper(raw, "ascii", newline="")):
            yield midnight_ns + int(cells[0]) * _NS_PER_MS, cells


def _quotes_of(path: Path) -> Iterator[LeanQuote]:
    """time, bid, bid size, ask, ask size, exchange, condition, suspicious; 0 is a side the row does not carry."""
    bid = bid_size = ask = ask_size = 0
    for ts_ns, cells in _rows(path):
        if cells[7] != "0":
            continue
        if cells[1] != "0":
            bid, bid_size = int(cells[1]), int(cells[2])
        if cells[3] != "0":
            ask, ask_size = int(cells[3]), int(cells[4])
        if 0 < bid <= ask:
            yield LeanQuote(ts_ns, bid, ask, bid_size, ask_size)


def _trades_of(path: Path) -> Iterator[LeanTrade]:
    """time, price, size, exchange, conditions, suspicious."""
    for ts_ns, cells in _rows(path):
        if cells[5] == "0":
            yield LeanTrade(ts_ns, int(cells[1]), int(cells[2]))
