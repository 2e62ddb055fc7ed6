"""The ticks of the benchmark: read once for everyone, and given to us as the very same events."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from benchmarks.peers.ticks import LeanQuote, LeanTrade, read_quotes, read_trades
from benchmarks.race import Setting, recorded_data
from benchmarks.speed import TICKERS, path_of
from benchmarks.tick_data import quotes_of, trades_of

OPEN_MS = 34_200_000  # 9:30
OPEN_NS = int(datetime(2013, 10, 7, 13, 30, tzinfo=UTC).timestamp()) * 1_000_000_000  # New York is four hours behind


def day(folder: Path, name: str, *rows: str) -> None:
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.csv", "\n".join(rows))


def test_quote_carries_the_side_a_row_lacks_forward(tmp_path: Path) -> None:
    day(
        tmp_path,
        "20131007_quote",
        f"{OPEN_MS},0,0,1836300,100,Q,1,0",
        f"{OPEN_MS + 1},1836000,300,0,0,P,1,0",
        f"{OPEN_MS + 2},0,0,1836200,200,P,1,0",
    )
    assert read_quotes(tmp_path) == [
        LeanQuote(OPEN_NS + 1_000_000, 1_836_000, 1_836_300, 300, 100),
        LeanQuote(OPEN_NS + 2_000_000, 1_836_000, 1_836_200, 300, 200),
    ]


def test_quote_that_is_suspicious_or_crossed_is_left_out(tmp_path: Path) -> None:
    day(
        tmp_path,
        "20131007_quote",
        f"{OPEN_MS},1836000,300,0,0,P,1,0",
        f"{OPEN_MS},0,0,1836000,100,Q,1,0",
        f"{OPEN_MS + 1},9999999,300,0,0,P,1,1",
        f"{OPEN_MS + 2},1836100,300,0,0,P,1,0",
        f"{OPEN_MS + 3},0,0,1836200,100,Q,1,0",
    )
    assert [(quote.bid, quote.ask) for quote in read_quotes(tmp_path)] == [
        (1_836_000, 1_836_000),
        (1_836_100, 1_836_200),
    ]


def test_sides_are_not_carried_into_the_next_day(tmp_path: Path) -> None:
    day(tmp_path, "20131008_quote", f"{OPEN_MS},0,0,1840000,100,Q,1,0")
    day(tmp_path, "20131007_quote", f"{OPEN_MS},1,1,2,1,Q,1,0")
    assert read_quotes(tmp_path) == [LeanQuote(OPEN_NS, 1, 2, 1, 1)]


def test_trade_that_is_suspicious_is_left_out_and_days_come_in_order(tmp_path: Path) -> None:
    day(tmp_path, "20131008_trade", f"{OPEN_MS},1840000,5,P,0,0")
    day(tmp_path, "20131007_trade", f"{OPEN_MS},1836000,3,P,0,0", f"{OPEN_MS},1,3,P,0,1")
    assert read_trades(tmp_path) == [
        LeanTrade(OPEN_NS, 1_836_000, 3),
        LeanTrade(OPEN_NS + 86_400 * 1_000_000_000, 1_840_000, 5),
    ]
    assert len(read_trades(tmp_path, 1)) == 1


def test_folder_without_ticks_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no quotes, expected YYYYMMDD_quote\.zip"):
        read_quotes(tmp_path)


@pytest.mark.parametrize("row", list(TICKERS))
def test_recorded_ticks_are_the_same_events_on_both_sides(row: str) -> None:
    folder = path_of(Setting(recorded_data(), repeat=1, quick=True, say=print), row)
    if not folder.is_dir():
        pytest.skip("recorded data are absent: set LOCKSTEP_DATA")
    data = quotes_of(folder, 20_000) if row == "quotes_two_ema" else trades_of(folder, 20_000)
    theirs = np.array(read_quotes(folder, 20_000) if row == "quotes_two_ema" else read_trades(folder, 20_000))
    records = np.concatenate(list(data.chunks()))
    columns = ["ts_event", "p0", "p1", "p2", "p3"][: theirs.shape[1]]
    assert np.array_equal(np.array([records[name] for name in columns]).T, theirs)
    assert np.array_equal(records["clock"], records["ts_event"])
    assert np.all(np.diff(records["clock"]) >= 0)
    assert (data.info.rows, data.info.kind) == (20_000, "quote" if row == "quotes_two_ema" else "trade")
