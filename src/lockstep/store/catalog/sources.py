"""Opening files: what kind a file is, whether it is whole, and the SQL that reads its columns as text."""

import csv
import gzip
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lockstep.model.errors import DataError, UsageError
from lockstep.store.catalog import lean
from lockstep.store.catalog.columns import PRICES, roles_of
from lockstep.store.catalog.instruments import LOCAL, Wishes, name_of_file
from lockstep.store.catalog.places import ACTIONS_SUFFIX, SUFFIXES
from lockstep.store.catalog.times import TimeFormat, time_format
from lockstep.store.sql import sql_name, sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_MAGIC = {b"\x1f\x8b": ".gz", b"PK": ".zip", b"PA": ".parquet"}
_COPY_BYTES = 1 << 20
_LINE_BYTES_MAX = 100_000
_BUFFER_BYTES = 4_000_000
"""DuckDB's default of 32 MB for reading CSV would be most of our memory."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One file (or member of a zip) as a relation.

    select gives sym, t, t_raw, open, high, low, close, volume: texts but for t, which is ns since 1970 as the file
    writes them. symbol: of all rows, or "" where a column says it. row_word: what messages call a row.
    """

    name: str
    select: str
    first_line: int
    row_word: str
    at_end: bool
    zone: str
    notes: tuple[str, ...]
    symbol: str
    venue: str
    lean: lean.LeanPlace | None


def data_files(where: Path) -> list[Path]:
    """The file itself, or the supported files of a folder, by name, without Lean's open interest.

    Raises: DataError: there is none.
    """
    if where.is_file():
        return [where]
    if not where.exists():
        raise DataError(f"no such file or folder: {where}")
    found = [p for p in where.iterdir() if p.is_file() and p.name.endswith(SUFFIXES) and not p.name.startswith(".")]
    found = [p for p in found if not p.name.endswith(("_openinterest.zip", ACTIONS_SUFFIX))]
    if not found:
        raise DataError(f"{where}: no data files", hint=f"looked for {', '.join(SUFFIXES)}")
    return sorted(found)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file with named columns, opened. relation: SQL with the columns c0, c1 ... as text; sample: the first row."""

    path: Path
    name: str
    header: list[str]
    sample: list[str]
    relation: str
    first_line: int

    @property
    def row_word(self) -> str:
        """What messages call a row."""
        return "line" if self.first_line > 1 else "row"


def tables_of(path: Path, work: Path, db: "DuckDBPyConnection", wishes: Wishes) -> list[Table]:
    """The tables of bars a file holds. Files are unpacked into `work`, which also proves that they are whole.

    Raises: DataError: not the kind of file its name says, cut short, or without the columns of bars.
    """
    if kind_of_file(path) == ".zip":
        return _zip_tables(path, work, wishes)
    return [_table(source_of(path, work, db), wishes)]


def source_of(path: Path, work: Path, db: "DuckDBPyConnection") -> Source:
    """A CSV, gzipped or not, or a Parquet file. Raises: DataError: as tables_of."""
    kind = kind_of_file(path)
    if kind == ".parquet":
        return _parquet_source(path, db)
    if kind == ".gz":
        plain = work / f"{_count(work)}.csv"
        try:
            with gzip.open(path) as packed, plain.open("wb") as out:
                shutil.copyfileobj(packed, out, _COPY_BYTES)
        except (OSError, EOFError, zlib.error) as e:
            raise DataError(f"{path.name}: cut short or not gzip: {e}", hint="fetch the file again") from e
        return _csv_source(plain, path, path.name)
    return _csv_source(path, path, path.name)


def header_of(path: Path, db: "DuckDBPyConnection") -> list[str]:
    """The column names of a CSV or Parquet file, read without the rest of it."""
    kind = kind_of_file(path)
    if kind == ".parquet":
        return _parquet_source(path, db).header
    try:
        with gzip.open(path) if kind == ".gz" else path.open("rb") as file:
            line = file.readline(_LINE_BYTES_MAX).decode("utf-8-sig", "replace")
    except (OSError, EOFError, zlib.error) as e:
        raise DataError(f"{path.name}: cut short or not gzip: {e}", hint="fetch the file again") from e
    separator = max(",;\t|", key=line.count)
    return next(iter(csv.reader([line.rstrip("\r\n")], delimiter=separator)), [])


def _count(work: Path) -> int:
    return sum(1 for _ in work.iterdir())


def kind_of_file(path: Path) -> str:
    """What a file is by its first bytes: ".csv", ".gz", ".zip" or ".parquet". Raises: DataError: its name says another."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {e.strerror}") from e
    if not magic:
        raise DataError(f"{path.name}: the file is empty")
    found = _MAGIC.get(magic[:2], ".csv")
    if found == ".parquet" and magic != b"PAR1":
        found = ".csv"
    if path.suffix in _MAGIC.values() and found != path.suffix:
        raise DataError(f"{path.name}: not a {path.suffix[1:]} file: it begins with {magic!r}")
    return found


def _csv_source(plain: Path, path: Path, name: str) -> Source:
    header, sample, separator = _first_lines(plain, name)
    columns = [f"c{i}" for i in range(len(header))]
    relation = csv_relation(plain, columns, skip=1, separator=separator)
    return Source(path=path, name=name, header=header, sample=sample, relation=relation, first_line=2)


def csv_relation(plain: Path, columns: list[str], *, skip: int, separator: str = ",") -> str:
    """The SQL relation of a CSV file, every column as text, nothing sniffed."""
    typed = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    return (
        f"read_csv({sql_text(str(plain))}, auto_detect=false, header=false, skip={skip}, delim={sql_text(separator)}, "
        f"quote='\"', escape='\"', columns={{{typed}}}, max_line_size={_LINE_BYTES_MAX}, buffer_size={_BUFFER_BYTES})"
    )


def _first_lines(plain: Path, name: str) -> tuple[list[str], list[str], str]:
    with plain.open("rb") as file:
        head = [file.readline(_LINE_BYTES_MAX), file.readline(_LINE_BYTES_MAX)]
    try:
        lines = [line.decode("utf-8-sig").rstrip("\r\n") for line in head]
    except UnicodeDecodeError as e:
        raise DataError(f"{name}: not a text file in UTF-8: {e.reason} at byte {e.start}") from e
    if "\0" in lines[0]:
        raise DataError(f"{name}: not a text file")
    separator = max(",;\t|", key=lines[0].count)
    header, *rest = csv.reader([line for line in lines if line], delimiter=separator)
    return header, rest[0] if rest else [], separator


def _table(source: Source, wishes: Wishes) -> Table:
    own_symbol, venue = name_of_file(source.path, wishes)
    roles = roles_of(source.header, source.name)
    sample = sample_of(source)
    form = time_format(
        sample[roles.time], wishes.time_unit or roles.unit, f"{source.name}: {source.row_word} {source.first_line}"
    )
    prices = ", ".join(f"c{getattr(roles, role)} AS {role}" for role in (*PRICES, "volume"))
    symbol = sql_text(own_symbol) if roles.symbol is None else f"nullif(upper(trim(c{roles.symbol})), '')"
    notes = list(roles.notes)
    if form.note:
        notes.append(form.note)
    return Table(
        name=source.name,
        select=f"SELECT {symbol} AS sym, {form.sql(f'c{roles.time}')} AS t, c{roles.time} AS t_raw, {prices} "
        f"FROM {source.relation}",
        first_line=source.first_line,
        row_word=source.row_word,
        at_end=roles.at_end,
        zone=zone_of(form, wishes, source.name),
        notes=tuple(notes),
        symbol=own_symbol if roles.symbol is None else "",
        venue=venue,
        lean=None,
    )


def sample_of(source: Source) -> list[str]:
    """The first row. Raises: DataError: there is none, or it has another number of values than names."""
    if not source.sample:
        below = " below the column names" if source.first_line > 1 else ""
        raise DataError(f"{source.name}: no rows{below}")
    if len(source.sample) != len(source.header):
        raise DataError(
            f"{source.name}: line 2 has {len(source.sample)} values, the column names are {len(source.header)}"
        )
    return source.sample


def zone_of(form: TimeFormat, wishes: Wishes, name: str) -> str:
    """The zone of a file's times: "" where neither they nor the caller say one.

    Raises: UsageError: a zone was given for times that have their own, or none where it must not be guessed.
    """
    if form.kind != "naive":
        if wishes.zone is not None and form.kind != "date":
            raise UsageError(f"{name}: --zone {wishes.zone}: its times say their zone themselves", hint="leave it out")
        return "UTC"
    if wishes.zone is None and wishes.strict:
        raise UsageError(
            f"{name}: ambiguous: its times have no zone",
            hint="say which with --zone UTC, --zone America/New_York or another",
        )
    return wishes.zone or ""


def _parquet_source(path: Path, db: "DuckDBPyConnection") -> Source:
    import duckdb

    relation = f"read_parquet({sql_text(str(path))})"
    try:
        names = [str(row[0]) for row in db.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
        texts = ", ".join(f"CAST({sql_name(name)} AS VARCHAR) AS c{i}" for i, name in enumerate(names))
        first = db.execute(f"SELECT {texts} FROM {relation} LIMIT 1").fetchall()
    except duckdb.Error as e:
        raise DataError(f"{path.name}: not a whole Parquet file: {_first_line(e)}", hint="fetch it again") from e
    return Source(
        path=path,
        name=path.name,
        header=names,
        sample=[str(value) for value in first[0]] if first else [],
        relation=f"(SELECT {texts} FROM {relation})",
        first_line=1,
    )


def _first_line(e: Exception) -> str:
    return str(e).splitlines()[0]


def _zip_tables(path: Path, work: Path, wishes: Wishes) -> list[Table]:
    place = lean.place_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if m.endswith(".csv")]
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as e:
        raise DataError(f"{path.name}: not a whole zip file: {e}", hint="fetch the file again") from e
    return [_member_table(path, m, work, place, wishes) for m in members]


def unpacked(path: Path, member: str, work: Path) -> Path:
    """A member of a zip as a file under `work`, which also proves that it is whole. Raises: DataError: it is not."""
    plain = work / f"{_count(work)}.csv"  # never the member's own name: it could point anywhere
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as packed, plain.open("wb") as out:
            shutil.copyfileobj(packed, out, _COPY_BYTES)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as e:
        raise DataError(f"{path.name}: not a whole zip file: {e}", hint="fetch the file again") from e
    return plain


def _member_table(
    path: Path,
    member: str,
    work: Path,
    place: lean.LeanPlace | None,
    wishes: Wishes,
) -> Table:
    plain = unpacked(path, member, work)
    name = f"{path.name}/{member}"
    if plain.stat().st_size == 0:
        raise DataError(f"{name}: the file is empty")
    first, _, separator = _first_lines(plain, name)
    layout = lean.layout_of(path, member, first, place, wishes.asset_class)
    if layout is None:
        return _table(_csv_source(plain, path, name), wishes)
    columns = ["t", *PRICES, "volume"]
    relation = csv_relation(plain, columns, skip=0, separator=separator)
    prices = ", ".join(f"{layout.price_sql(role)} AS {role}" for role in PRICES)
    return Table(
        name=name,
        select=f"SELECT {sql_text(layout.symbol)} AS sym, {layout.time_sql('t')} AS t, t AS t_raw, "
        f"{prices}, volume FROM {relation}",
        first_line=1,
        row_word="line",
        at_end=False,
        zone=layout.zone,
        notes=layout.notes,
        symbol=layout.symbol,
        venue=wishes.venue or (place.venue if place else LOCAL),
        lean=place,
    )
