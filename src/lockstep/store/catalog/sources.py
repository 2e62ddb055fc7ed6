"""Opening files: what kind a file is, whether it is whole, and the SQL that reads its columns as text."""

import csv
import gzip
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lockstep.model.errors import DataError
from lockstep.store.catalog import lean
from lockstep.store.catalog.columns import PRICES, Roles, roles_of
from lockstep.store.catalog.instruments import LOCAL, name_of_file
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
    """The file itself, or the supported files of a folder, by name; of Lean's zips only those of trades.

    Raises: DataError: there is none.
    """
    if where.is_file():
        return [where]
    if not where.exists():
        raise DataError(f"no such file or folder: {where}")
    found = [p for p in where.iterdir() if p.is_file() and p.name.endswith(SUFFIXES) and not p.name.startswith(".")]
    found = [p for p in found if not p.name.endswith(("_quote.zip", "_openinterest.zip", ACTIONS_SUFFIX))]
    if not found:
        raise DataError(f"{where}: no data files", hint=f"looked for {', '.join(SUFFIXES)}")
    return sorted(found)


def tables_of(path: Path, work: Path, db: "DuckDBPyConnection", asset_class: str | None) -> list[Table]:
    """The tables a file holds. Files are unpacked into `work`, which also proves that they are whole.

    Raises: DataError: not the kind of file its name says, cut short, or without the columns of bars.
    """
    kind = _kind(path)
    if kind == ".parquet":
        return [_parquet_table(path, db)]
    if kind == ".zip":
        return _zip_tables(path, work, asset_class)
    if kind == ".gz":
        plain = work / f"{_count(work)}.csv"
        try:
            with gzip.open(path) as packed, plain.open("wb") as out:
                shutil.copyfileobj(packed, out, _COPY_BYTES)
        except (OSError, EOFError, zlib.error) as e:
            raise DataError(f"{path.name}: cut short or not gzip: {e}", hint="fetch the file again") from e
        return [_csv_table(plain, path, path.name)]
    return [_csv_table(path, path, path.name)]


def _count(work: Path) -> int:
    return sum(1 for _ in work.iterdir())


def _kind(path: Path) -> str:
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


def _csv_table(plain: Path, path: Path, name: str) -> Table:
    header, sample, separator = _first_lines(plain, name)
    roles = roles_of(header, name)
    if not sample:
        raise DataError(f"{name}: no rows below the column names")
    if len(sample) != len(header):
        raise DataError(f"{name}: line 2 has {len(sample)} values, the column names are {len(header)}")
    form = time_format(sample[roles.time], roles.unit, f"{name}: line 2")
    columns = [f"c{i}" for i in range(len(header))]
    relation = csv_relation(plain, columns, skip=1, separator=separator)
    return _table(path, name, relation, columns, roles, form, first_line=2)


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


def _table(
    path: Path, name: str, relation: str, columns: list[str], roles: Roles, form: TimeFormat, first_line: int
) -> Table:
    own_symbol, venue = name_of_file(path)
    prices = ", ".join(f"{columns[getattr(roles, role)]} AS {role}" for role in (*PRICES, "volume"))
    time = columns[roles.time]
    symbol = sql_text(own_symbol) if roles.symbol is None else f"nullif(upper(trim({columns[roles.symbol]})), '')"
    notes = list(roles.notes)
    if form.note:
        notes.append(form.note)
    return Table(
        name=name,
        select=f"SELECT {symbol} AS sym, {form.sql(time)} AS t, {time} AS t_raw, {prices} FROM {relation}",
        first_line=first_line,
        row_word="line" if first_line > 1 else "row",
        at_end=roles.at_end,
        zone="" if form.kind == "naive" else "UTC",
        notes=tuple(notes),
        symbol=own_symbol if roles.symbol is None else "",
        venue=venue,
        lean=None,
    )


def _parquet_table(path: Path, db: "DuckDBPyConnection") -> Table:
    import duckdb

    relation = f"read_parquet({sql_text(str(path))})"
    try:
        described = db.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        roles = roles_of([str(row[0]) for row in described], path.name)
        first = db.execute(
            f"SELECT CAST({sql_name(described[roles.time][0])} AS VARCHAR) FROM {relation} LIMIT 1"
        ).fetchone()
    except duckdb.Error as e:
        raise DataError(f"{path.name}: not a whole Parquet file: {_first_line(e)}", hint="fetch it again") from e
    if first is None:
        raise DataError(f"{path.name}: no rows")
    form = time_format(str(first[0]), roles.unit, f"{path.name}: row 1")
    columns = [f"c{i}" for i in range(len(described))]
    texts = ", ".join(f"CAST({sql_name(row[0])} AS VARCHAR) AS c{i}" for i, row in enumerate(described))
    return _table(path, path.name, f"(SELECT {texts} FROM {relation})", columns, roles, form, first_line=1)


def _first_line(e: Exception) -> str:
    return str(e).splitlines()[0]


def _zip_tables(path: Path, work: Path, asset_class: str | None) -> list[Table]:
    place = lean.place_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if m.endswith(".csv")]
            if not members:
                raise DataError(f"{path.name}: no CSV file inside", hint="give a zip of Lean trade bars, or one CSV")
            return [_member_table(path, archive, m, work, place, asset_class) for m in members]
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as e:
        raise DataError(f"{path.name}: not a whole zip file: {e}", hint="fetch the file again") from e


def _member_table(
    path: Path,
    archive: zipfile.ZipFile,
    member: str,
    work: Path,
    place: lean.LeanPlace | None,
    asset_class: str | None,
) -> Table:
    plain = work / f"{_count(work)}.csv"  # never the member's own name: it could point anywhere
    with archive.open(member) as packed, plain.open("wb") as out:
        shutil.copyfileobj(packed, out, _COPY_BYTES)
    name = f"{path.name}/{member}"
    if plain.stat().st_size == 0:
        raise DataError(f"{name}: the file is empty")
    first, _, separator = _first_lines(plain, name)
    layout = lean.layout_of(path, member, first, place, asset_class)
    if layout is None:
        return _csv_table(plain, path, name)
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
        venue=place.venue if place else LOCAL,
        lean=place,
    )
