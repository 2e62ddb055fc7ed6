"""The rivals' ticks as histories of ours: the very events that `benchmarks.peers.ticks` gives to everyone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.ticks import PRICE_DECIMALS, read_quotes, read_trades
from lockstep.model.enums import AssetClass, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import CLOCK, MARKET_EVENT, Records
from lockstep.model.sessions import XNYS_EXTENDED
from lockstep.store.catalog.market_data import DataInfo, MarketData, Spool, SpooledRows


def quotes_of(folder: Path, limit: int | None = None) -> MarketData:
    """The first `limit` quotes of a ticker's folder of Lean ticks."""
    ts, bid, ask, bid_size, ask_size = _columns(read_quotes(folder, limit))
    records = _records(EventKind.QUOTE, ts)
    records["p0"], records["p1"], records["p2"], records["p3"] = bid, ask, bid_size, ask_size
    return _history(folder.name.upper(), "quote", records)


def trades_of(folder: Path, limit: int | None = None) -> MarketData:
    """The first `limit` trades of a ticker's folder of Lean ticks; their ids are their numbers."""
    ts, price, size = _columns(read_trades(folder, limit))
    records = _records(EventKind.TRADE, ts)
    records["p0"], records["p1"], records["p2"] = price, size, records["seq"]
    return _history(folder.name.upper(), "trade", records)


def _columns(ticks: Sequence[tuple[int, ...]]) -> NDArray[np.int64]:
    return np.array(ticks, dtype=np.int64).T


def _records(kind: EventKind, ts: NDArray[np.int64]) -> Records:
    records = np.zeros(len(ts), MARKET_EVENT)
    records["clock"] = records["ts_event"] = ts
    records["seq"] = np.arange(len(ts))
    records["kind"] = int(kind)
    return records


def _history(symbol: str, kind: str, records: Records) -> MarketData:
    spool = Spool()
    spool.append(records)
    spool.flush()
    instrument = Instrument(
        venue="US",
        symbol=symbol,
        asset_class=AssetClass.EQUITY,
        base_currency=symbol,
        quote_currency="USD",
        price_decimals=PRICE_DECIMALS,
        qty_decimals=0,
        session=XNYS_EXTENDED,
    )
    info = DataInfo(
        symbol=symbol,
        source="Lean",
        rows=len(records),
        first_ns=int(records["clock"][0]),
        last_ns=int(records["clock"][-1]),
        bar_ns=0,
        gaps=0,
        longest_gap_ns=0,
        content_hash=hashlib.blake2b(records.tobytes(), digest_size=16).hexdigest(),
        splits=0,
        dividends=0,
        adjustments="not modelled",
        notes=(),
        kind=kind,
    )
    return MarketData(instrument, info, SpooledRows(spool, 0, len(records), by=CLOCK))
