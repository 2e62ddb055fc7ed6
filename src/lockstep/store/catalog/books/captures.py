"""Captures of websockets: JSON lines, each a message as it came, with the time of receipt; the format of cryptofeed's sample data.

`t` is header, http, connect, send or recv; `ts` epoch seconds; `data` the text of the message, `b64` its bytes. REST answers (http) may
be written before the messages that came earlier: they are put where their time says. What a message means is its venue's business.
"""

import base64
import binascii
import heapq
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from lockstep.model.errors import DataError, ParseError, did_you_mean
from lockstep.store.catalog.books.lines import lines_of
from lockstep.store.catalog.books.tape import Pen
from lockstep.store.catalog.books.units import units_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LINE = re.compile(r'\{"t": ?"header"')
_SCALE_NS = 9


class Frame(msgspec.Struct, frozen=True):
    """One message. place: its line; ts: of receipt, ns UTC; url: of a REST answer, else ""; address: of the connection."""

    place: int
    ts: int
    text: str
    url: str
    address: str


class Venue(Protocol):
    """What a venue's messages mean; it keeps its books from file to file."""

    def take(self, frame: Frame, pen: Pen) -> None:
        """One message, written onto the tapes of the instruments it is about."""
        ...


class _Line(msgspec.Struct):
    t: str
    conn: str = ""
    ts: Decimal | None = None
    data: str | None = None
    b64: str | None = None
    url: str = ""
    addr: str = ""
    exchange: str = ""


_LINE = msgspec.json.Decoder(_Line)


def is_capture(line: str) -> bool:
    """Whether a first line is the header of a capture."""
    return LINE.match(line) is not None


class CaptureReader:
    """Reads captures, those of one venue one after another. venues: by the name in the header."""

    row_word = "line"

    def __init__(self, venues: dict[str, type[Venue]]) -> None:
        self._kinds = venues
        self._venues: dict[str, Venue] = {}

    def read(self, path: Path, pen: Pen, db: "DuckDBPyConnection") -> None:
        """Raises: DataError: not a capture, of an unknown venue, or a message that cannot be read; names the line."""
        frames = frames_of(path, db)
        name = next(frames).text
        if name not in self._kinds:
            raise DataError(
                f"{path.name}: a capture of {name!r}, which is not read", hint=did_you_mean(name, self._kinds)
            )
        venue = self._venues.setdefault(name, self._kinds[name]())
        for frame in frames:
            pen.place = frame.place
            try:
                venue.take(frame, pen)
            except (ParseError, ValueError, KeyError, msgspec.MsgspecError) as e:
                raise DataError(f"{path.name}: line {frame.place:,}: {type(e).__name__}: {e}: {frame.text[:80]!r}") from e


def frames_of(path: Path, db: "DuckDBPyConnection") -> Iterator[Frame]:
    """The name of the venue, then its messages in order of receipt. Raises: DataError: a line that is none of a capture."""
    answers: list[tuple[int, int, Frame]] = []
    addresses: dict[str, str] = {}
    for line in lines_of(path, db):
        if not line.text:
            continue
        try:
            said = _LINE.decode(line.text)
            text = base64.b64decode(said.b64).decode() if said.b64 is not None else said.data or ""
            ts = 0 if said.ts is None else units_of(format(round(said.ts, _SCALE_NS), "f"), _SCALE_NS)
        except (ValueError, binascii.Error, msgspec.MsgspecError) as e:
            raise DataError(
                f"{path.name}: line {line.number:,} is none of a capture: {line.text[:60]!r}: {e}", hint="was the file cut short?"
            ) from e
        if said.t == "header":
            yield Frame(line.number, 0, said.exchange, "", "")
        elif said.t == "connect":
            addresses[said.conn] = said.addr
        elif said.t == "http":
            heapq.heappush(answers, (ts, line.number, Frame(line.number, ts, text, said.url, "")))
        elif said.t == "recv":
            while answers and answers[0][0] <= ts:
                yield heapq.heappop(answers)[2]
            yield Frame(line.number, ts, text, "", addresses.get(said.conn, ""))
    while answers:
        yield heapq.heappop(answers)[2]
