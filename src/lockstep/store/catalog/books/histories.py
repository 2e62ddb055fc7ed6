"""Tapes into histories: at the fewest decimals that hold every price, on the tick all prices are on, at corrected times."""

from collections.abc import Sequence
from math import gcd
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import Settlement
from lockstep.model.errors import DataError, UsageError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY, UNITS_MAX
from lockstep.model.record import Records
from lockstep.store.catalog.books.clock import FileClock
from lockstep.store.catalog.books.encode import BookEncoder
from lockstep.store.catalog.books.pen import Tapes
from lockstep.store.catalog.books.tape import (
    PRICES_OF,
    QUANTITIES_OF,
    UNKNOWN_TIME,
    Chunk,
    Rows,
    Tape,
    amounts_of,
    zeros_of,
)
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.instruments import Traits, Wishes, instrument_of
from lockstep.store.catalog.market_data import MarketData, Spool
from lockstep.store.catalog.shapes import SHAPES
from lockstep.store.catalog.ticks import TickEncoder

_NAMED_MAX = 5
TICK_PRICES_MIN = 1_000
"""From so many prices on, the step that all of them are on is taken for the tick."""
ODD_PRICES_ONE_IN = 1_000
"""Decimals that fewer of a book's prices need than one in so many are wrong ones: such prices are off the tick."""


def histories_of_tapes(
    tapes: Tapes, wanted: Sequence[str], source: str, wishes: Wishes, symbols: Sequence[str] | None
) -> list[MarketData]:
    """One history for each instrument and kind it has, all of an instrument with the same decimals.

    Args:   wanted: "books", "quotes", "trades". symbols: only these; None: all.
    Raises: UsageError: one name is wished for several instruments.
    """
    if wishes.symbol is not None and len(tapes.all()) > 1:
        names = ", ".join(sorted(tape.listing.symbol for tape in tapes.all())[:_NAMED_MAX])
        raise UsageError(
            f"{source}: symbol {wishes.symbol}, but it is about several: {names}", hint="leave --symbol out"
        )
    chosen = None if symbols is None else {symbol.upper() for symbol in symbols}
    spool = Spool()
    found: list[MarketData] = []
    for tape in tapes.all():
        if chosen is not None and (wishes.symbol or tape.listing.symbol).upper() not in chosen:
            continue
        rows = {name: one for name, one in tape.rows().items() if one.count}
        if not rows:
            continue
        instrument, notes = _instrument(tape, list(rows.values()), wishes)
        there = (_History(tape, name, instrument, tapes.files) for name in wanted if name in rows)
        found += [one.read(spool, source, notes) for one in there]
    return found


def _instrument(tape: Tape, rows: list[Rows], wishes: Wishes) -> tuple[Instrument, list[str]]:
    """The instrument, and what was inferred to know it."""
    listing = tape.listing
    traits = Traits(
        symbol=wishes.symbol or listing.symbol,
        venue=wishes.venue or listing.venue,
        price_decimals=0,
        saturdays=False,
        place=None,
    )
    said = msgspec.structs.replace(
        wishes,
        asset_class=wishes.asset_class or listing.asset_class,
        session=wishes.session or listing.session,
        currency=wishes.currency or listing.quote or None,
    )
    instrument, notes = instrument_of(traits, said)
    price_divisor = gcd(*(one.price_divisor for one in rows))
    price_zeros = zeros_of(price_divisor, listing.price_scale)
    qty_zeros = zeros_of(gcd(*(one.qty_divisor for one in rows)), listing.qty_scale)
    # Contracts come in lots that the data shows; coins are kept as fine as they are counted.
    usual = instrument.qty_decimals if listing.settlement is Settlement.CASH else 0
    tick, why = _tick(tape.books, rows, listing.price_scale, price_zeros)
    instrument = msgspec.structs.replace(
        instrument,
        price_decimals=listing.price_scale - price_zeros,
        qty_decimals=_qty_decimals(usual, listing.qty_scale, qty_zeros, rows),
        tick_size=tick,
        base_currency=listing.base or instrument.base_currency,
        multiplier=listing.multiplier,
        settlement=listing.settlement,
    )
    if listing.multiplier != 1:
        notes = tuple(note for note in notes if not note.startswith("multiplier 1"))
    return instrument, [*notes, f"tick {instrument.price_text(tick)}, {why}"]


def _tick(book: Rows, rows: list[Rows], scale: int, zeros: int) -> tuple[int, str]:
    """The step of prices, units, and what says so. Hidden orders trade between the ticks: where there is a book, it alone does."""
    ticked = [book] if book.prices else rows
    count = sum(one.prices for one in ticked)
    if count < TICK_PRICES_MIN:
        return 1, "the last decimal of the prices: too few to tell"
    decimals = finest = scale - zeros
    odd = 0
    while decimals > 0 and (odd + book.decimals[decimals]) * ODD_PRICES_ONE_IN < book.prices:
        odd += book.decimals[decimals]
        decimals -= 1
    if odd:
        return 10 ** (
            finest - decimals
        ), f"as all prices of the book show but {odd:,} of {book.prices:,} with more decimals"
    return gcd(*(one.price_divisor for one in ticked)) // 10**zeros, "as the prices show"


def _qty_decimals(usual: int, scale: int, zeros: int, rows: list[Rows]) -> int:
    """The usual decimals of the asset class where the quantities need no more, and leave room for sums of them."""
    needed = scale - zeros
    highest = max(one.qty_highest for one in rows)
    room = highest * 10**usual // 10**scale <= UNITS_MAX >> 6
    return usual if needed <= usual and room else needed


class _History:
    """The rows of one kind on their way into records."""

    def __init__(self, tape: Tape, name: str, instrument: Instrument, files: list[FileClock]) -> None:
        self._tape = tape
        self._name = name
        self._rows = tape.rows()[name]
        self._instrument = instrument
        self._files = files

    def read(self, spool: Spool, source: str, notes: Sequence[str]) -> MarketData:
        shape = SHAPES[self._name]
        encoder = self._encoder(spool)
        row = 0
        for raw in self._rows.chunks():
            records = self._exact(raw)
            encoder.add(row, shape.columns_of(records))
            row += len(records)
        clocks = [note for number in self._tape.files for note in self._files[number].notes()]
        faults = [f"{count:,} x {what}, the first at {first}" for what, (count, first) in self._tape.faults.items()]
        counts = [f"{count:,} {what}" for what, count in self._tape.counts.items()]
        levels = self._tape.levels if self._name == "books" else 0
        return encoder.finish(source, [*self._tape.listing.notes, *clocks, *counts, *faults, *notes], levels)

    def _encoder(self, spool: Spool) -> TickEncoder:
        last = self._rows.place_of(self._rows.count - 1)[0]
        span = self._rows.clock_of(0) - 2 * NANOS_PER_DAY, self._last_clock(last) + 2 * NANOS_PER_DAY
        hours = SessionHours(self._instrument.session, *span)
        if self._name == "books":
            return BookEncoder(self._instrument, spool, hours, self._row_name)
        return TickEncoder(SHAPES[self._name], self._instrument, spool, hours, self._row_name)

    def _last_clock(self, file: int) -> int:
        return self._rows.clock_of(self._rows.count - 1) + self._files[file].shift_ns

    def _row_name(self, row: int) -> str:
        file, place = self._rows.place_of(row)
        return self._files[file].place_name(place)

    def _exact(self, chunk: Chunk) -> Records:
        """From the scales of the chunk to the instrument's decimals, from the recorder's clock to the corrected one."""
        records = chunk.records
        amounts = amounts_of(records)
        kind, decimals = self._rows.kind, (self._instrument.price_decimals, self._instrument.qty_decimals)
        for words, finer in (
            (PRICES_OF[kind], decimals[0] - chunk.price_scale),
            (QUANTITIES_OF[kind], decimals[1] - chunk.qty_scale),
        ):
            for word in words if finer else ():
                if int(np.abs(records[word]).max(initial=0, where=amounts)) > 2**62 // 10**finer:
                    raise DataError(
                        f"{self._instrument.id}: an amount is too large for the decimals that another one needs"
                    )
                records[word] = np.where(amounts, records[word] * 10**finer, records[word])
        shifts: NDArray[Any] = np.array([clock.shift_ns for clock in self._files], np.int64)
        records["clock"] += shifts[records["seq"]]
        unknown = records["ts_event"] == UNKNOWN_TIME
        records["ts_event"] = np.where(unknown, records["clock"], records["ts_event"])
        return records
