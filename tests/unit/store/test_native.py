"""Our own Parquet files of bars: the round trip, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from lockstep.model.errors import DataError
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.native import write_bars
from lockstep.store.catalog.readers import read_market_data

Write = Callable[..., Path]
ROWS = [
    "2013-02-08,A,45.07,45.35,45.0,45.08,1824755",
    "2013-02-11,A,45.17,45.18,44.45,44.6,2915405",
    "2013-02-08,MSFT,27.35,27.71,27.31,27.55,33318306",
    "2013-02-11,MSFT,27.65,27.92,27.5,27.86,32247549",
]


@pytest.fixture
def bars(write: Write) -> list[MarketData]:
    return read_market_data(
        write(*ROWS, name="two.csv", header="date,symbol,open,high,low,close,volume"), asset_class="equity"
    )


@pytest.fixture
def native(bars: list[MarketData], tmp_path: Path) -> Path:
    path = tmp_path / "two.parquet"
    with duckdb.connect(config={"threads": 1}) as db:
        write_bars(path, bars, db, notes=("as recorded",))
    return path


def rewrite(path: Path, query: str, metadata: str | None = None) -> None:
    """The same file with other rows, its metadata kept or replaced."""
    with duckdb.connect() as db:
        if metadata is None:
            found = db.execute(f"SELECT decode(value) FROM parquet_kv_metadata('{path}')").fetchone()  # noqa: S608 - our own path
            metadata = str(found[0]) if found else ""
        quoted = metadata.replace("'", "''")
        db.execute(f"CREATE TABLE t AS {query.format(path=path)}")
        db.execute(f"COPY t TO '{path}' (FORMAT parquet, KV_METADATA {{lockstep: '{quoted}'}})")


def write_actions(native: Path, values: str) -> None:
    columns = "(symbol, ex_date, kind, ratio_num, ratio_den, amount_units, amount_decimals)"
    target = native.with_name("two_actions.parquet")
    duckdb.execute(f"COPY (SELECT * FROM (VALUES {values}) AS v{columns}) TO '{target}' (FORMAT parquet)")  # noqa: S608 - our own rows


def test_written_bars_read_back_with_the_same_hash_and_instrument(bars: list[MarketData], native: Path) -> None:
    again = read_market_data(native)
    assert [one.info.content_hash for one in again] == [one.info.content_hash for one in bars]
    assert [one.instrument for one in again] == [one.instrument for one in bars]
    assert again[0].info.notes[0] == "as recorded"
    assert again[0].info.adjustments == "not modelled"
    assert [one.instrument.symbol for one in read_market_data(native, symbols=["msft"])] == ["MSFT"]


def test_same_bars_are_written_as_the_same_bytes(bars: list[MarketData], native: Path, tmp_path: Path) -> None:
    with duckdb.connect(config={"threads": 1}) as db:
        write_bars(tmp_path / "again.parquet", list(reversed(bars)), db, notes=("as recorded",))
    assert (tmp_path / "again.parquet").read_bytes() == native.read_bytes()


def test_actions_beside_the_bars_are_applied_and_change_the_hash(bars: list[MarketData], native: Path) -> None:
    write_actions(
        native, "('A', DATE '2013-02-11', 'dividend', 0, 0, 12, 2), ('A', DATE '2013-02-09', 'split', 3, 2, 0, 0)"
    )
    a, msft = read_market_data(native)
    assert (a.info.splits, a.info.dividends, msft.info.adjustments) == (1, 1, "applied")
    assert a.info.content_hash != bars[0].info.content_hash
    records = np.concatenate(list(a.chunks()))
    assert records["kind"].tolist() == [5, 0, 0, 5]
    assert records["aux"].tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("('A', DATE '2013-02-11', 'merger', 1, 1, 0, 0)", "kind was 'merger'"),
        ("('A', DATE '2013-02-11', 'split', 0, 1, 0, 0)", "split of 0 and 1 means nothing"),
        ("('A', DATE '2013-02-11', 'dividend', 0, 0, -5, 2)", "dividend of -5 and 2 means nothing"),
    ],
)
def test_meaningless_actions_are_refused(native: Path, values: str, message: str) -> None:
    write_actions(native, values)
    with pytest.raises(DataError, match=message):
        read_market_data(native)


def test_damaged_actions_are_refused(native: Path) -> None:
    native.with_name("two_actions.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match=r"two_actions\.parquet: not a table of corporate actions"):
        read_market_data(native)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM '{path}' WHERE false", "no rows"),
        ("SELECT * REPLACE (NULL::BIGINT AS high) FROM '{path}'", "row 1: high is empty"),
        ("SELECT * REPLACE (-open AS open) FROM '{path}'", r"row 1 \(A\): open is not above 0"),
        (
            "SELECT * FROM '{path}' ORDER BY ts_open, symbol",
            "A: its rows are not together|MSFT: its rows are not together",
        ),
        ("SELECT * FROM '{path}' WHERE symbol = 'A'", "MSFT: no bars"),
    ],
)
def test_rows_that_break_a_rule_are_refused(native: Path, query: str, message: str) -> None:
    rewrite(native, query)
    with pytest.raises(DataError, match=message):
        read_market_data(native)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("{}", "its metadata is damaged"),
        ('{"format": "lockstep-bars", "schema_version": 2, "bar_ns": 1, "instruments": {}}', "schema lockstep-bars 2"),
    ],
)
def test_damaged_or_newer_metadata_is_refused(native: Path, metadata: str, message: str) -> None:
    rewrite(native, "SELECT * FROM '{path}'", metadata)
    with pytest.raises(DataError, match=message):
        read_market_data(native)


def test_unknown_symbol_is_refused_with_the_closest() -> None:
    with pytest.raises(DataError, match="no symbol 'APPL'") as e:
        read_market_data("us_stocks", symbols=["APPL"])
    assert "AAPL" in e.value.hint


def test_bars_of_different_lengths_do_not_share_a_file(bars: list[MarketData], write: Write, tmp_path: Path) -> None:
    minutes = read_market_data(write("1514764800,1,1,1,1,1", "1514764860,1,1,1,1,1", header="t,o,h,l,c,v"))
    with duckdb.connect() as db, pytest.raises(DataError, match="one bar length a file"):
        write_bars(tmp_path / "x.parquet", [*bars, *minutes], db)
