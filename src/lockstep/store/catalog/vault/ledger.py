"""What the store holds, in two layers of JSON: a root that names one entry for each instrument, and the entries.

An entry is written once under a name that holds its hash and never changed; the root is replaced by one rename, which
is the moment an import becomes visible, whole. A reader that holds the old root goes on reading the old files: they
stay until the next import.
"""

import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec

from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.timeframe import timeframe_text
from lockstep.store.catalog.actions import Action
from lockstep.store.catalog.shapes import SHAPES, Shape
from lockstep.store.catalog.vault.names import folder_of

ROOT = "catalog.json"
ROOT_FORMAT, ENTRY_FORMAT = "lockstep-catalog", "lockstep-instrument"
SCHEMA_VERSION = 1
HASH_DIGITS = 16
Document = TypeVar("Document", "Root", "Entry")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Parquet file. first_ns, last_ns: the keys of its first and last row; end_ns: ts_event of the last."""

    period: str
    file: str
    rows: int
    first_ns: int
    last_ns: int
    end_ns: int
    content_hash: str


class Series(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The files of one kind, in order of time. bar_ns: 0 where these are no bars; notes: of their imports; levels: as of a DataInfo."""

    kind: str
    bar_ns: int
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    levels: int = 0

    @property
    def name(self) -> str:
        """The folder: "bars-1m", "quotes", "trades"."""
        return series_name(self.shape, self.bar_ns)

    @property
    def shape(self) -> Shape:
        """What its columns are."""
        return SHAPES[self.kind]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(part.rows for part in self.parts)


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instrument: its facts, its corporate actions (None: none are told of) and its series by name."""

    format: str = ENTRY_FORMAT
    schema_version: int = SCHEMA_VERSION
    instrument: Instrument
    actions: tuple[Action, ...] | None = None
    series: dict[str, Series] = {}

    @property
    def folder(self) -> str:
        """The folder of the instrument in the catalog."""
        return folder_of(self.instrument.id)

    def path_of(self, home: Path, series: Series, part: Part) -> Path:
        """Where a part lies."""
        return home / self.folder / series.name / part.file


class Root(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The catalog at one moment. instruments: the entry's file by instrument id. retired: paths that the last change
    made useless; they stay for readers of the state before it, and the next change removes them.
    """

    format: str = ROOT_FORMAT
    schema_version: int = SCHEMA_VERSION
    generation: int = 0
    instruments: dict[str, str] = {}
    retired: tuple[str, ...] = ()


def series_name(shape: Shape, bar_ns: int) -> str:
    """The folder of a series inside its instrument's."""
    return f"{shape.name}-{timeframe_text(bar_ns)}" if bar_ns else shape.name


def encoded(document: Root | Entry) -> bytes:
    """The bytes of a document: the same for the same content."""
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=1)


def entry_name(content: bytes) -> str:
    """The file name of an entry, by its bytes."""
    return f"instrument-{hashlib.sha256(content).hexdigest()[:HASH_DIGITS]}.json"


def load_root(home: Path) -> Root:
    """The catalog as it is now; an empty one where there is none. Raises: DataError: damaged, or of a newer schema."""
    path = home / ROOT
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Root()
    return _decoded(raw, Root, path, ROOT_FORMAT)


def load_entry(home: Path, instrument_id: str, file: str) -> Entry:
    """One instrument. Raises: DataError: missing, damaged, or of a newer schema."""
    if Path(file).name != file:
        raise DataError(f"{home / ROOT}: {file!r} is no name of an entry")
    path = home / folder_of(instrument_id) / file
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {e.strerror}", hint="import the data again") from e
    if entry_name(raw) != file:
        raise DataError(f"{path}: damaged: its content does not have the hash in its name", hint="import it again")
    return _decoded(raw, Entry, path, ENTRY_FORMAT)


def _decoded(raw: bytes, kind: type[Document], path: Path, form: str) -> Document:
    class Head(msgspec.Struct):
        format: str
        schema_version: int

    try:
        head = msgspec.json.decode(raw, type=Head)
        if head.format == form and head.schema_version > SCHEMA_VERSION:
            raise DataError(
                f"{path}: schema {head.schema_version}, this version reads up to {SCHEMA_VERSION}",
                hint="upgrade Lockstep",
            )
        if head.format != form:
            raise DataError(f"{path}: not a {form} but {head.format}")
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as e:
        raise DataError(f"{path}: damaged: {e}", hint="import the data again") from e
