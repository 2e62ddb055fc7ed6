"""What more instruments cost: which stocks are measured, and that both sides are the same work."""

import gzip
from pathlib import Path

import pytest
from benchmarks.scale import hundred, merge_cost, whole_histories

HEADER = "date,symbol,open,high,low,close,volume\n"
ROWS = [
    "2013-02-08,B,10,11,9,10,1",
    "2013-02-11,B,10,11,9,10,1",
    "2013-02-08,A,10,10,10,10,1",
    "2013-02-11,A,10,10,10,10,1",
    "2013-02-11,LATE,10,11,9,10,1",
    "2013-02-08,ODD,10,9,8,10,1",
    "2013-02-11,ODD,10,11,9,10,1",
    "2013-02-08,GAP,10,11,9,10,1",
    "2013-02-11,GAP,,11,9,10,1",
]


def daily(folder: Path) -> Path:
    path = folder / "daily.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(HEADER + "\n".join(ROWS) + "\n")
    return path


def test_stocks_that_are_measured_have_every_day_and_no_impossible_range(tmp_path: Path) -> None:
    assert whole_histories(daily(tmp_path)) == ["A", "B"]


def test_too_few_stocks_are_refused_with_their_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"daily\.csv\.gz has 2 stocks with a bar on every day, 100 are needed"):
        hundred(daily(tmp_path))


@pytest.mark.data
def test_cost_of_a_merge_is_told_for_each_file_alone_and_for_all(data: Path) -> None:
    folder = data / "lean" / "equity" / "usa" / "daily"
    alone, together = merge_cost([folder / "spy.zip", folder / "ibm.zip"], repeat=1)
    assert 10 < alone < 1e6
    assert 10 < together < 1e6
