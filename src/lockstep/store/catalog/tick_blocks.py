"""Ticks of one file, read and waiting on disk until the decimals of their instrument are known; then into records.

The fewest decimals that hold every price of an instrument are known only after its last file, so that the integers
wait, at the scale of their file, in temporary files.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.store.catalog.gaps import SessionHours
from lockstep.store.catalog.instruments import Traits, Wishes, instrument_of
from lockstep.store.catalog.lean import LeanPlace
from lockstep.store.catalog.market_data import MarketData, Spool
from lockstep.store.catalog.shapes import SHAPES, Shape
from lockstep.store.catalog.ticks import TickEncoder

WINDOW_ROWS = 65_536
_SATURDAY = 2
"""1970-01-01 was a Thursday: days since then, modulo 7."""
Arrays = dict[str, NDArray[Any]]


class TickBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Ticks of one symbol in one file. path: the arrays `line` and those of the shape. *_scale: decimals of the integers
    there; *_zeros: the zeros that all of them end in. first_ns, last_ns: clocks.
    """

    name: str
    row_word: str
    kind: str
    symbol: str
    venue: str
    place: LeanPlace | None
    path: Path
    rows: int
    price_scale: int
    price_zeros: int
    qty_scale: int
    qty_zeros: int
    first_ns: int
    last_ns: int
    saturdays: bool
    notes: tuple[str, ...]


def block_of(
    work: Path,
    columns: Arrays,
    *,
    name: str,
    kind: str,
    symbol: str,
    venue: str,
    place: LeanPlace | None,
    notes: Sequence[str],
    price_scale: int,
    qty_scale: int,
    row_word: str = "line",
) -> TickBlock:
    """Put the arrays of one file aside under `work`. columns: `line` and those of the shape; at least one row."""
    shape = SHAPES[kind]
    with tempfile.NamedTemporaryFile(dir=work, suffix=".npz", delete=False) as file:
        np.savez(file, allow_pickle=False, **columns)
    path = Path(file.name)
    clock = columns["ts_recv"]
    return TickBlock(
        name=name,
        row_word=row_word,
        kind=kind,
        symbol=symbol,
        venue=venue,
        place=place,
        path=path,
        rows=len(clock),
        price_scale=price_scale,
        price_zeros=_zeros(columns, shape.prices, price_scale),
        qty_scale=qty_scale,
        qty_zeros=_zeros(columns, shape.quantities, qty_scale),
        first_ns=int(clock.min()),
        last_ns=int(clock.max()),
        saturdays=bool((clock // NANOS_PER_DAY % 7 == _SATURDAY).any()),
        notes=tuple(notes),
    )


def _zeros(columns: Arrays, names: Sequence[str], scale: int) -> int:
    divisor = 0
    for name in names:
        divisor = int(np.gcd.reduce(columns[name], initial=divisor))
    zeros = 0
    while zeros < scale and divisor % 10 ** (zeros + 1) == 0:
        zeros += 1
    return zeros


def histories_of(blocks: Sequence[TickBlock], source: str, wishes: Wishes) -> list[MarketData]:
    """One history for each symbol and kind, sorted by symbol; the quotes and trades of a symbol share an instrument."""
    found = []
    spool = Spool()
    for symbol in sorted({block.symbol for block in blocks}):
        own = [block for block in blocks if block.symbol == symbol]
        instrument, notes = _instrument(own, wishes)
        for kind in ("quotes", "trades"):
            these = sorted((block for block in own if block.kind == kind), key=lambda block: block.first_ns)
            if these:
                found.append(_history(these, instrument, spool, source, notes))
    return found


def _instrument(blocks: Sequence[TickBlock], wishes: Wishes) -> tuple[Instrument, tuple[str, ...]]:
    traits = Traits(
        symbol=blocks[0].symbol,
        venue=blocks[0].venue,
        price_decimals=max(block.price_scale - block.price_zeros for block in blocks),
        saturdays=any(block.saturdays for block in blocks),
        place=blocks[0].place,
    )
    instrument, notes = instrument_of(traits, wishes)
    needed = max(block.qty_scale - block.qty_zeros for block in blocks)
    if needed > instrument.qty_decimals:
        instrument = msgspec.structs.replace(instrument, qty_decimals=needed)
    return instrument, notes


def _history(
    blocks: Sequence[TickBlock], instrument: Instrument, spool: Spool, source: str, notes: Sequence[str]
) -> MarketData:
    shape = SHAPES[blocks[0].kind]
    span = blocks[0].first_ns - 2 * NANOS_PER_DAY, max(block.last_ns for block in blocks) + 2 * NANOS_PER_DAY
    lines: NDArray[np.int64] = np.empty(0, np.int64)
    block = blocks[0]

    def row_name(row: int) -> str:
        return f"{block.name}: {block.row_word} {lines[row]}"

    encoder = TickEncoder(shape, instrument, spool, SessionHours(instrument.session, *span), row_name)
    for block in blocks:
        with np.load(block.path) as arrays:
            lines = arrays["line"]
            columns = {name: arrays[name] for name in shape.words}
        _rescale(columns, shape, block, instrument)
        for begin in range(0, block.rows, WINDOW_ROWS):
            encoder.add(begin, {name: values[begin : begin + WINDOW_ROWS] for name, values in columns.items()})
    own = dict.fromkeys(note for block in blocks for note in block.notes)
    return encoder.finish(source, [*own, *notes])


def _rescale(columns: Arrays, shape: Shape, block: TickBlock, instrument: Instrument) -> None:
    """From the scale of a file to the instrument's decimals, exactly."""
    for names, finer in (
        (shape.prices, block.price_scale - instrument.price_decimals),
        (shape.quantities, block.qty_scale - instrument.qty_decimals),
    ):
        for name in names:
            if finer > 0:
                columns[name] = columns[name] // 10**finer
            elif finer < 0:
                if len(columns[name]) and int(columns[name].max()) > 2**62 // 10**-finer:
                    raise DataError(f"{block.name}: {name} is too large for {instrument.price_decimals} decimals")
                columns[name] = columns[name] * 10**-finer
