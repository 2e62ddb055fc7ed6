"""Recorded books for the rows of books: written once for every program, and given to ours as histories."""

from __future__ import annotations

import hashlib
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.books import CLEAR, SET, STEP_NS, TRADE, WIDTH, RecordedBook, read_book, write_book
from lockstep.model.enums import AssetClass, BookAction, EventKind
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST, CLOCK, MARKET_EVENT, Records
from lockstep.research.baseline import read_recording
from lockstep.store.catalog.market_data import DataInfo, MarketData, Spool, SpooledRows

CACHE = Path(__file__).resolve().parent / ".cache"


def book_file(recording: Path) -> Path:
    """The recording as every program reads it, written first if need be."""
    path = CACHE / f"{recording.name.partition('.')[0]}.book"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        write_book(part, _numbers_of(recording))
        part.replace(path)
    return path


def _numbers_of(recording: Path) -> RecordedBook:
    found = read_recording(recording)
    records = found.records
    action = records["flags"] & BOOK_ACTION
    trade = records["kind"] == EventKind.TRADE
    kept = trade | (action == BookAction.SET) | (action == BookAction.CLEAR)
    records, action, trade = records[kept], action[kept], trade[kept]
    table = np.zeros((len(records), WIDTH), np.int64)
    what = np.where(trade, TRADE, np.where(action == BookAction.CLEAR, CLEAR, SET))
    ends = ~trade & (records["flags"] & BOOK_LAST > 0)
    side = records["aux"].astype(np.int64) - 2
    for column, values in enumerate(
        (records["clock"], records["ts_event"], what, side, records["p0"], records["p1"], ends)
    ):
        table[:, column] = values
    begin = (int(table[0, 0]) // STEP_NS + 20) * STEP_NS
    steps = (int(table[-1, 0]) - begin) // STEP_NS - 20
    numbers = array("q", table.tobytes())
    return RecordedBook(found.instrument.price_decimals, found.instrument.qty_decimals, begin, steps, numbers)


def records_of(book: RecordedBook) -> Records:
    """BOOK and TRADE records as they were; the first message is the full book."""
    table: NDArray[np.int64] = np.frombuffer(book.numbers, np.int64).reshape(-1, WIDTH)
    clock, venue, what, side, price, qty, ends = table.T
    records = np.zeros(len(table), MARKET_EVENT)
    trade = what == TRADE
    records["clock"], records["ts_event"], records["seq"] = clock, venue, np.arange(len(table))
    records["kind"] = np.where(trade, int(EventKind.TRADE), int(EventKind.BOOK))
    whole = np.arange(len(table)) <= int(np.argmax(ends))
    action = np.where(what == CLEAR, int(BookAction.CLEAR), int(BookAction.SET))
    flags = action | np.where(whole, BOOK_FULL, 0) | np.where(ends, BOOK_LAST, 0)
    records["flags"] = np.where(trade, 0, flags)
    records["aux"] = side + 2
    records["p0"], records["p1"] = price, qty
    return records


def instrument_of(book: RecordedBook) -> Instrument:
    """A linear contract with the recording's decimals."""
    return Instrument(
        venue="BINANCE-USDM",
        symbol="RECORDED",
        asset_class=AssetClass.CRYPTO,
        base_currency="COIN",
        quote_currency="USDT",
        price_decimals=book.price_decimals,
        qty_decimals=book.qty_decimals,
    )


def histories_of(path: Path, limit: int | None = None) -> tuple[RecordedBook, list[MarketData]]:
    """The book and its trades, as a backtest takes them."""
    book = read_book(path, limit)
    records = records_of(book)
    parts = ((EventKind.BOOK, "book"), (EventKind.TRADE, "trade"))
    return book, [history(instrument_of(book), records[records["kind"] == kind], name) for kind, name in parts]


def history(instrument: Instrument, records: Records, kind: str) -> MarketData:
    """Records of one kind as a history."""
    records = np.ascontiguousarray(records)
    records["seq"] = np.arange(len(records))
    spool = Spool()
    spool.append(records)
    spool.flush()
    info = DataInfo(
        symbol=instrument.symbol,
        source="Binance",
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
