"""Which files are recordings of books, in which format, and the reading of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from lockstep.model.errors import DataError
from lockstep.store.catalog.books import bitstamp, bybit, captures, dbn, lobster, recorded
from lockstep.store.catalog.books.binance import BinanceCaptures, BinanceFuturesCaptures
from lockstep.store.catalog.books.bitstamp import BitstampReader
from lockstep.store.catalog.books.bybit import Bybit
from lockstep.store.catalog.books.coinbase import Coinbase
from lockstep.store.catalog.books.databento import DatabentoReader
from lockstep.store.catalog.books.deribit import Deribit
from lockstep.store.catalog.books.histories import histories_of_tapes
from lockstep.store.catalog.books.korea import Bithumb, Upbit
from lockstep.store.catalog.books.lines import first_line, is_zip_of_lines
from lockstep.store.catalog.books.lobster import LobsterReader
from lockstep.store.catalog.books.okx import Okx
from lockstep.store.catalog.books.pen import Pen, Tapes
from lockstep.store.catalog.books.recorded import RecordedReader
from lockstep.store.catalog.instruments import Wishes
from lockstep.store.catalog.market_data import MarketData

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Reader(Protocol):
    """Reads the files of one format, one after another; what it knows of a book goes on from file to file. row_word: what a
    place in such a file is called.
    """

    row_word: str

    def read(self, path: Path, pen: Pen, db: "DuckDBPyConnection") -> None:
        """Write what a file tells. Raises: DataError: it is not whole, or not of this format."""
        ...


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One format. is_one: by the path and the first line of text. begins: a time of the file that files are ordered by, ns UTC."""

    name: str
    is_one: Callable[[Path, str], bool]
    begins: Callable[[Path, str], int]
    reader: Callable[[], Reader]


VENUES: dict[str, type[captures.Venue]] = {
    "BINANCE": BinanceCaptures,
    "BINANCE_FUTURES": BinanceFuturesCaptures,
    "BITHUMB": Bithumb,
    "BYBIT": Bybit,
    "COINBASE": Coinbase,
    "DERIBIT": Deribit,
    "OKX": Okx,
    "UPBIT": Upbit,
}
"""By the name in the header of a capture."""
FORMATS = (
    Format(
        name="LOBSTER messages",
        is_one=lambda path, _: lobster.is_messages(path),
        begins=lambda path, _: lobster.midnight_ns(path),
        reader=LobsterReader,
    ),
    Format(
        name="Databento DBN (mbo)",
        is_one=lambda path, _: dbn.is_dbn(path),
        begins=lambda path, _: dbn.begins_ns(path),
        reader=DatabentoReader,
    ),
    Format(
        name="Binance recording (time and raw JSON)",
        is_one=lambda _, line: recorded.is_recorded(line),
        begins=lambda _, line: recorded.begins_ns(line),
        reader=RecordedReader,
    ),
    Format(
        name="Bitstamp live orders",
        is_one=lambda _, line: bitstamp.is_log(line),
        begins=lambda _, line: bitstamp.begins_ns(line),
        reader=BitstampReader,
    ),
    Format(
        name="websocket capture (cryptofeed)",
        is_one=lambda _, line: captures.is_capture(line),
        begins=lambda _, __: 0,  # the header need not say it: captures are taken in the order of their names
        reader=lambda: captures.CaptureReader(VENUES),
    ),
    Format(
        name="Bybit archive (orderbook.N)",
        is_one=lambda _, line: bybit.is_archive(line),
        begins=lambda _, line: bybit.archive_begins_ns(line),
        reader=bybit.ArchiveReader,
    ),
)
_TABLES = (".csv", ".csv.gz", ".parquet", ".zip")
_KNOWN = (
    f"known are tables by their names (CSV, also .csv.gz; Parquet; a zip of Lean bars or ticks), and of recordings "
    f"{', '.join(form.name for form in FORMATS)}"
)


class Recording(msgspec.Struct, frozen=True):
    """A file and its format."""

    path: Path
    format: Format
    begins: int


def recordings_in(files: Sequence[Path], db: "DuckDBPyConnection") -> tuple[list[Recording], list[Path]]:
    """The recordings among the files of a folder, oldest first, and the tables.

    What is neither is passed over: LOBSTER's files of levels, which are read with their messages, and a log or JSON lines of something else.
    Raises: DataError: a single file that is neither; a compressed one that is damaged.
    """
    found: list[Recording] = []
    tables: list[Path] = []
    for path in files:
        levels = lobster.is_levels(path)
        tabular = path.name.endswith(_TABLES) and not (path.suffix == ".zip" and is_zip_of_lines(path))
        line = "" if tabular or dbn.is_dbn(path) else first_line(path, db)
        form = next((form for form in FORMATS if form.is_one(path, line)), None)
        if form is not None:
            found.append(Recording(path, form, form.begins(path, line)))
        elif tabular and not levels:
            tables.append(path)
        elif len(files) == 1:
            hint = "give the message file, its levels are read with it" if levels else _KNOWN
            raise DataError(f"{path.name}: neither a table nor a recording of a known format", hint=hint)
    return sorted(found, key=lambda one: (one.begins, one.path.name)), tables


def read_recordings(
    recordings: Sequence[Recording],
    wanted: Sequence[str],
    source: str,
    db: "DuckDBPyConnection",
    wishes: Wishes,
    symbols: Sequence[str] | None,
) -> list[MarketData]:
    """The histories of all instruments of some recordings, of the kinds that are wanted and there.

    Raises: DataError: a file is not whole, or says what cannot be; names the place.
    """
    tapes = Tapes()
    readers: dict[str, Reader] = {}
    for one in recordings:
        reader = readers.setdefault(one.format.name, one.format.reader())
        pen = tapes.pen(one.path, reader.row_word)
        reader.read(one.path, pen, db)
        pen.close()
    return histories_of_tapes(tapes, wanted, source, wishes, symbols)
