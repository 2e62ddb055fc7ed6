"""An import appears whole or not at all: killed anywhere, twice at once, on a full disk, beside damaged files."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from lockstep.model.errors import DataError, RetryError
from lockstep.store.catalog.catalog import Catalog
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.vault import ledger
from lockstep.store.catalog.vault.commit import LOCK, Change

Write = Callable[..., Path]
MONTHS = (1514764800000, 1517443200000, 1519862400000)  # the first minutes of 2018-01, 02 and 03


def rows(price: int) -> list[str]:
    return [f"{start + 60_000 * k},{price},{price},{price},{price},1" for start in MONTHS for k in range(3)]


@pytest.fixture
def data(write: Write) -> list[MarketData]:
    return [
        *read_market_data(write(*rows(7), name="bitfinex_btcusd.csv")),
        *read_market_data(write(*rows(8), name="bitfinex_ethusd.csv")),
    ]


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "home")


def files_under(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from lockstep.store.catalog.catalog import Catalog
    from lockstep.store.catalog.readers import read_market_data

    home, left, *files = sys.argv[1:]
    left = int(left)
    replace = Path.replace

    def counted(self, target):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    Path.replace = counted
    data = [one for file in files for one in read_market_data(Path(file))]
    Catalog(Path(home)).vault.put(data)
"""


@pytest.mark.parametrize("renames", range(10))
def test_a_killed_import_leaves_nothing_visible_and_the_next_one_cleans_up(
    renames: int, data: list[MarketData], catalog: Catalog, tmp_path: Path
) -> None:
    """Six data files, two entries and the root: nine renames. Killed before any of them but none, nothing is there."""
    names = [str(tmp_path / f"bitfinex_{pair}.csv") for pair in ("btcusd", "ethusd")]
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(catalog.home), str(renames), *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    killed = renames < 9
    assert done.returncode == (-signal.SIGKILL if killed else 0), done.stderr
    assert [entry.instrument.symbol for entry in catalog.vault.entries()] == ([] if killed else ["BTCUSD", "ETHUSD"])
    left_behind = files_under(catalog.vault.home) - {LOCK, ledger.ROOT}
    assert left_behind
    outcome = catalog.vault.put(data)
    assert outcome.cleaned == (len(left_behind) if killed else 0)
    assert [one.same if not killed else one.added for one in outcome.stored] == [9, 9]
    assert catalog.vault.check() == (6, [])
    assert len(files_under(catalog.vault.home)) == 6 + 2 + 2  # data, entries, lock and root: no rubbish


def test_a_second_import_at_the_same_time_is_refused_with_the_process_of_the_first(
    data: list[MarketData], catalog: Catalog
) -> None:
    waiting = textwrap.dedent("""
        import sys
        from pathlib import Path
        from lockstep.store.catalog.vault.commit import Change
        with Change(Path(sys.argv[1])):
            print("ready", flush=True)
            sys.stdin.readline()
    """)
    command = [sys.executable, "-c", waiting, str(catalog.vault.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(RetryError, match=f"process {other.pid} is importing"):
            catalog.vault.put(data)
        assert catalog.vault.entries() == []  # reading needs no lock
        other.stdin.write("\n")
    catalog.vault.put(data)
    assert len(catalog.vault.entries()) == 2


def test_two_changes_in_one_process_are_refused_too(catalog: Catalog) -> None:
    with Change(catalog.vault.home), pytest.raises(RetryError, match=f"process {os.getpid()}"):
        catalog.vault.put([])


def test_an_import_that_fails_half_way_leaves_no_file(data: list[MarketData], catalog: Catalog, write: Write) -> None:
    catalog.vault.put([data[1]])
    before = files_under(catalog.vault.home)
    (other,) = read_market_data(write(*rows(9), name="bitfinex_ethusd.csv"))
    with pytest.raises(DataError, match="differs"):
        catalog.vault.put([data[0], other])  # the first history is written, the second refused
    assert files_under(catalog.vault.home) == before
    assert [entry.instrument.symbol for entry in catalog.vault.entries()] == ["ETHUSD"]


def test_a_dry_run_counts_and_leaves_no_file(data: list[MarketData], catalog: Catalog) -> None:
    outcome = catalog.vault.put(data, dry_run=True)
    assert [one.added for one in outcome.stored] == [9, 9]
    assert files_under(catalog.vault.home) == {LOCK}


def test_a_full_disk_is_named_and_nothing_is_visible(write: Write, tmp_path: Path) -> None:
    """The limit on a file's size stands in for the disk: writing fails in the middle, as it would there."""
    prices = [k * 7919 % 9973 + 1 for k in range(20_000)]
    path = write(
        *(f"{MONTHS[0] + 60_000 * k},{p},{p},{p},{p},{p}" for k, p in enumerate(prices)), name="bitfinex_btcusd.csv"
    )
    limited = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from lockstep.model.errors import RetryError
        from lockstep.store.catalog.catalog import Catalog
        from lockstep.store.catalog.readers import read_market_data
        data = read_market_data(Path(sys.argv[2]))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        try:
            Catalog(Path(sys.argv[1])).vault.put(data)
        except RetryError as e:
            print(e, "|", e.hint)
    """)
    home = tmp_path / "home"
    command = [sys.executable, "-c", limited, str(home), str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "2018-01-" in done.stdout
    assert "cannot be written" in done.stdout
    assert "nothing was changed" in done.stdout
    assert files_under(home / "catalog") == {LOCK}
    Catalog(home).vault.put(read_market_data(path))
    assert len(Catalog(home).get_bars("BTCUSD")) == 20_000


@pytest.mark.parametrize("damage", ["cut", "emptied", "removed", "changed"])
def test_a_damaged_file_is_named_never_read_in_part_and_replaced(
    damage: str, data: list[MarketData], catalog: Catalog
) -> None:
    catalog.vault.put(data)
    entry = catalog.vault.find("BTCUSD")
    series = entry.series["bars-1m"]
    path = entry.path_of(catalog.vault.home, series, series.parts[1])
    whole = path.read_bytes()
    content = {"cut": whole[:-40], "emptied": b"", "changed": whole[:20] + bytes(4) + whole[24:]}
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(content[damage])
    (problem,) = catalog.vault.check()[1]
    assert str(path) in problem
    if damage != "changed":  # a flipped byte may also be a legal one: that is what `check` and its hash are for
        with pytest.raises(DataError, match="2018-02-"):
            catalog.get_bars("BTCUSD")
        with pytest.raises(DataError, match="2018-02-"):
            catalog.histories(["BTCUSD"])
    assert len(catalog.get_bars("BTCUSD", "2018-03-01")) == 3
    catalog.vault.put([data[0]], replace=True)
    if damage != "changed":
        assert catalog.vault.check() == (6, [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b'{"format": "lockstep-catalog", "schema_version": 2}', "schema 2, this version reads up to 1"),
        (b'{"format": "other", "schema_version": 1}', "not a lockstep-catalog"),
        (b'{"format": "lockstep-catalog", "schema_version": 1, "more": 1}', "damaged"),
        (
            b'{"format": "lockstep-catalog", "schema_version": 1, "instruments": {"A.B": "../x.json"}}',
            "no name of an entry",
        ),
    ],
)
def test_a_damaged_root_is_named(content: bytes, message: str, catalog: Catalog) -> None:
    catalog.vault.home.mkdir(parents=True)
    (catalog.vault.home / ledger.ROOT).write_bytes(content)
    with pytest.raises(DataError, match=message):
        catalog.vault.entries()


def test_a_damaged_entry_is_named_and_can_be_replaced(data: list[MarketData], catalog: Catalog) -> None:
    catalog.vault.put(data)
    path = next((catalog.vault.home / "BTCUSD.BITFINEX").glob("instrument-*.json"))
    path.write_bytes(path.read_bytes().replace(b"BITFINEX", b"BITFINEY"))
    fresh = Catalog(catalog.home)
    with pytest.raises(DataError, match="does not have the hash in its name"):
        fresh.get_bars("BTCUSD")
    assert len(fresh.get_bars("ETHUSD")) == 9
    with pytest.raises(DataError, match="does not have the hash"):
        fresh.vault.put([data[0]])
    fresh.vault.put([data[0]], replace=True)
    assert len(fresh.get_bars("BTCUSD")) == 9


def test_a_reader_sees_a_change_at_once_and_whole(data: list[MarketData], catalog: Catalog) -> None:
    reader = Catalog(catalog.home)
    catalog.vault.put([data[0]])
    assert len(reader.get_bars("BTCUSD")) == 9
    (history,) = reader.histories(["BTCUSD"])
    chunks = history.chunks()
    catalog.vault.put([data[1]])
    assert sum(len(chunk) for chunk in chunks) == 9
    assert len(reader.get_bars("ETHUSD")) == 9


def test_files_of_others_in_the_catalog_are_left_alone(data: list[MarketData], catalog: Catalog) -> None:
    catalog.vault.put(data)
    own = catalog.vault.home / "BTCUSD.BITFINEX" / "bars-1m" / "notes.txt"
    own.write_text("mine")
    elsewhere = catalog.vault.home / "my folder" / "2018-01-0123456789abcdef.parquet"
    elsewhere.parent.mkdir()
    elsewhere.write_text("mine")
    assert catalog.vault.put(data).cleaned == 0
    assert own.exists()
    assert elsewhere.exists()
