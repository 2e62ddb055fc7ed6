from collections.abc import Callable
from pathlib import Path

import pytest

from lockstep.model.errors import DataError, UsageError
from lockstep.store.catalog.catalog import Catalog
from lockstep.store.catalog.readers import read_market_data

Write = Callable[..., Path]
ROWS = ["2013-02-08,45.07,45.35,45.0,45.08,1824755", "2013-02-11,45.17,45.18,44.45,44.6,2915405"]
HEADER = "date,open,high,low,close,volume"


@pytest.fixture
def home(tmp_path: Path, write: Write) -> Path:
    folder = tmp_path / "home" / "data"
    folder.mkdir(parents=True)
    write(*ROWS, name="agilent.csv", header=HEADER).rename(folder / "agilent.csv")
    return tmp_path / "home"


def test_shipped_data_set_is_listed_with_its_facts(tmp_path: Path) -> None:
    (entry,) = Catalog(tmp_path).datasets()
    assert (entry.name, entry.kind, entry.rows) == ("us_stocks", "shipped", 12154)
    assert entry.symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert entry.problem == ""
    assert entry.first_ns < entry.last_ns


def test_files_and_folders_under_home_become_data_sets_named_by_stem(home: Path, write: Write) -> None:
    folder = home / "data" / "several"
    folder.mkdir()
    write(*ROWS, name="a.csv.gz", header=HEADER).rename(folder / "a.csv.gz")
    (home / "data" / "README.md").write_text("not data")
    (home / "data" / "empty").mkdir()
    (home / "data" / ".hidden.csv").write_text("x")
    entries = {entry.name: entry for entry in Catalog(home).datasets()}
    assert set(entries) == {"agilent", "several", "us_stocks"}
    assert (entries["several"].kind, entries["several"].symbols, entries["several"].rows) == ("local", ("A",), 2)


def test_name_reads_as_well_as_the_path(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_HOME", str(home))
    (by_name,) = read_market_data("agilent")
    (by_path,) = read_market_data(home / "data" / "agilent.csv")
    assert by_name.info.content_hash == by_path.info.content_hash
    assert (by_name.info.source, by_path.info.source) == ("agilent", "agilent.csv")


def test_broken_data_set_is_listed_with_its_problem(home: Path) -> None:
    (home / "data" / "broken.csv").write_text("date,open\n")
    entry = Catalog(home).show("broken")
    assert entry.rows == 0
    assert "no column 'high'" in entry.problem


@pytest.mark.parametrize("name", ["../agilent", "/etc/passwd", "agilent.csv", "", ".", "..", "data/agilent", "a\0b"])
def test_name_that_is_a_path_is_never_resolved(home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="unknown data set"):
        Catalog(home).resolve(name)


def test_unknown_name_is_refused_with_the_closest(home: Path) -> None:
    with pytest.raises(UsageError, match="unknown data set 'aglent'") as e:
        Catalog(home).resolve("aglent")
    assert "agilent" in e.value.hint


def test_two_files_of_one_name_are_refused(home: Path) -> None:
    (home / "data" / "agilent.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"two data sets named 'agilent': agilent\.csv and agilent\.parquet"):
        Catalog(home).datasets()


def test_home_is_taken_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_HOME", str(home))
    assert Catalog().home == home
    monkeypatch.setenv("LOCKSTEP_HOME", "")
    assert Catalog().home == Path.home() / ".lockstep"
