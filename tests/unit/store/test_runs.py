import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.model.errors import DataError, InvariantError, UsageError
from lockstep.store.run_tables import RESULT_SCHEMA_VERSION, RUN_TABLES
from lockstep.store.runs import PART_ROWS, RunFolder, RunWriter, list_runs

HASH = "ab" * 32
MANIFEST = {"schema_version": 4, "kind": "backtest", "run_hash": HASH}


def equity(rows: int, start: int = 0) -> dict[str, Any]:
    ts = np.arange(start, start + rows, dtype=np.int64)
    return {name: ts if name == "ts" else ts * 0.1 for name in RUN_TABLES["equity"]}


def signals() -> dict[str, Any]:
    return {
        "signal_id": [1, 2],
        "ts": [10, 20],
        "strategy": ["a", "b"],
        "symbol": ["X", "X"],
        "action": ["buy", "sell"],
        "confidence": [0.5, 1.0],
        "target_price": [None, 101.5],
        "stop_price": [float("nan"), 99.0],
        "reasoning": ["crossed", 'quoted "text", and a comma'],
    }


def written(root: Path, run_hash: str = HASH, created: str = "2026-01-01") -> Path:
    with RunWriter(root) as run:
        run.write_table("signals", signals())
        run.append_table("equity", equity(3))
        run.append_table("equity", equity(2, start=3))
        run.write_json("manifest.json", {**MANIFEST, "run_hash": run_hash})
        run.write_json("session.json", {"created": created})
        return run.commit(run_hash)


def test_committed_run_has_exactly_its_files_and_reads_back(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert folder == tmp_path / HASH
    names = {"manifest.json", "session.json", *(f"{name}.parquet" for name in RUN_TABLES)}
    assert {path.name for path in folder.iterdir()} == names
    assert [path.name for path in tmp_path.iterdir()] == [HASH]
    run = RunFolder.open(folder)
    assert run.run_hash == HASH
    table = run.table("equity")
    assert table["ts"].tolist() == [0, 1, 2, 3, 4]  # type: ignore[union-attr]
    assert table["cash"].dtype == np.float64  # type: ignore[union-attr]
    assert table["cash"][4] == 4 * 0.1


def test_missing_prices_are_null_on_disk_and_nan_when_read(tmp_path: Path) -> None:
    import duckdb

    folder = written(tmp_path)
    path = folder / "signals.parquet"
    assert duckdb.read_parquet(str(path)).aggregate("count(target_price), count(stop_price)").fetchall() == [(1, 1)]
    table = RunFolder.open(folder).table("signals")
    assert np.isnan(table["target_price"][0])
    assert table["reasoning"] == ["crossed", 'quoted "text", and a comma']


def test_tables_nobody_wrote_are_empty_with_their_types(tmp_path: Path) -> None:
    table = RunFolder.open(written(tmp_path)).table("trades")
    assert list(table) == list(RUN_TABLES["trades"])
    assert table["symbol"] == []
    assert [table[name].dtype.name for name in ("side", "qty", "open")] == ["int8", "float64", "bool"]  # type: ignore[union-attr]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 400), max_size=6), st.lists(st.integers(0, 400), max_size=6))
def test_file_does_not_depend_on_how_rows_were_cut(
    tmp_path_factory: pytest.TempPathFactory, one: list[int], other: list[int]
) -> None:
    total = max(sum(one), sum(other))
    found = []
    for cuts in (one, other):
        root = tmp_path_factory.mktemp("runs")
        with RunWriter(root) as run:
            start = 0
            for rows in [*cuts, total - sum(cuts)]:
                run.append_table("equity", equity(rows, start))
                start += rows
            run.write_json("manifest.json", MANIFEST)
            found.append((run.commit(HASH) / "equity.parquet").read_bytes())
    assert found[0] == found[1]


def test_big_table_goes_to_disk_as_it_comes(tmp_path: Path) -> None:
    with RunWriter(tmp_path) as run:
        for i in range(5):
            run.append_table("equity", equity(PART_ROWS // 2, i * (PART_ROWS // 2)))
        parts = list(tmp_path.glob(".partial-*/parts/equity-*.parquet"))
        assert len(parts) == 2
        run.write_json("manifest.json", MANIFEST)
        folder = run.commit(HASH)
    ts = RunFolder(folder).table("equity")["ts"]
    assert np.array_equal(np.asarray(ts), np.arange(PART_ROWS // 2 * 5))


def test_caller_may_reuse_the_buffer_it_appended(tmp_path: Path) -> None:
    columns = equity(3)
    with RunWriter(tmp_path) as run:
        run.append_table("equity", columns)
        columns["ts"][:] = -1
        run.write_json("manifest.json", MANIFEST)
        folder = run.commit(HASH)
    assert np.asarray(RunFolder(folder).table("equity")["ts"]).tolist() == [0, 1, 2]


def test_same_run_twice_gives_the_same_bytes_and_the_newer_session(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in written(tmp_path, created="2026-01-01").iterdir()}
    second = {path.name: path.read_bytes() for path in written(tmp_path, created="2026-01-02").iterdir()}
    assert {name for name in first if first[name] != second[name]} == {"session.json"}
    assert RunFolder.open(tmp_path / HASH).session == {"created": "2026-01-02"}


def test_other_bytes_under_the_same_hash_replace_the_run_whole(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "equity.parquet").write_bytes(b"damaged")
    (folder / "left_over").write_text("x")
    written(tmp_path)
    assert not (folder / "left_over").exists()
    assert len(np.asarray(RunFolder.open(folder).table("equity")["ts"])) == 5
    assert [path.name for path in tmp_path.iterdir()] == [HASH]


def test_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    def fails() -> None:
        with RunWriter(tmp_path) as run:
            run.append_table("equity", equity(3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    with RunWriter(tmp_path) as run:
        run.write_json("manifest.json", MANIFEST)  # no commit
    assert list(tmp_path.iterdir()) == []


def test_killed_writer_leaves_no_run_and_is_swept_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from lockstep.store.runs import RunWriter\n"
        "with RunWriter(Path(sys.argv[1])) as run:\n"
        "    run.write_json('manifest.json', {'schema_version': 4}); os._exit(9)\n"
    )
    source = str(Path(__file__).parents[3] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": source}, check=False
    )
    assert done.returncode == 9
    assert [path.name[:9] for path in tmp_path.iterdir()] == [".partial-"]
    assert list_runs(tmp_path) == []
    written(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [HASH]


def test_writer_at_work_is_not_swept_by_another(tmp_path: Path) -> None:
    with RunWriter(tmp_path) as run:
        run.write_json("manifest.json", MANIFEST)
        written(tmp_path, "cd" * 32)
        run.commit(HASH)
    assert len(list_runs(tmp_path)) == 2


def test_run_being_replaced_when_the_process_died_is_put_back(tmp_path: Path) -> None:
    folder = written(tmp_path)
    folder.rename(tmp_path / f".replaced-{HASH}")
    written(tmp_path, "cd" * 32)
    assert {run.path.name for run in list_runs(tmp_path)} == {HASH, "cd" * 32}


def test_runs_are_listed_the_newest_last(tmp_path: Path) -> None:
    for run_hash, created in (("11" * 32, "2026-01-03"), ("22" * 32, "2026-01-01"), ("33" * 32, "2026-01-02")):
        written(tmp_path, run_hash, created)
    assert [run.path.name[:2] for run in list_runs(tmp_path)] == ["22", "33", "11"]
    assert list_runs(tmp_path / "nowhere") == []


def test_run_is_found_by_a_prefix_and_an_ambiguous_one_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "abcd" * 16)
    written(tmp_path, "abcdef" + "0" * 58)
    assert RunFolder.open("abcda", tmp_path).path.name == "abcd" * 16
    with pytest.raises(UsageError, match="2 runs begin with 'abcd'"):
        RunFolder.open("abcd", tmp_path)
    with pytest.raises(UsageError, match="no run 'ffff'"):
        RunFolder.open("ffff", tmp_path)
    with pytest.raises(UsageError, match=r"no run '\.\./x'"):
        RunFolder.open("../x", tmp_path)
    with pytest.raises(DataError, match="not a run"):
        RunFolder.open(tmp_path)


def test_tables_of_a_schema_version_are_always_the_same() -> None:
    """Other columns are another version, so that a run of before is refused in words and not by a query that fails."""
    columns = json.dumps(RUN_TABLES, sort_keys=True).encode()
    assert (RESULT_SCHEMA_VERSION, zlib.crc32(columns)) == (4, 2_166_699_953)


def test_damaged_or_newer_run_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "fills.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"fills\.parquet: cannot be read"):
        RunFolder.open(folder).table("fills")
    with pytest.raises(UsageError, match="no table 'fill'") as e:
        RunFolder.open(folder).table("fill")
    assert "fills" in e.value.hint
    (folder / "manifest.json").write_text('{"schema_version": 99}')
    with pytest.raises(DataError, match="kept by a newer Lockstep, with result schema 99"):
        RunFolder.open(folder)
    (folder / "manifest.json").write_text('{"schema_version": 2, "command": "lockstep backtest a.py --data b"}')
    (folder / "session.json").write_text('{"version": "0.0.9"}')
    with pytest.raises(
        DataError, match=r"kept by another Lockstep 0\.0\.9, with result schema 2; this one reads 4"
    ) as old:
        RunFolder.open(folder)
    assert old.value.hint.endswith("run it again, which keeps it anew: lockstep backtest a.py --data b")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        RunFolder.open(folder)


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        ("equit", {}, "not a table"),
        ("equity", {"ts": [1]}, "columns differ in cash"),
        ("benchmark", {"ts": [1, 2], "equity": [1.0]}, "different lengths"),
        ("benchmark", {"ts": [None], "equity": [1.0]}, "may not be missing"),
    ],
)
def test_table_that_breaks_the_contract_is_refused(
    tmp_path: Path, table: str, columns: dict[str, Any], message: str
) -> None:
    with RunWriter(tmp_path) as run, pytest.raises(InvariantError, match=message):
        run.write_table(table, columns)


def test_commit_needs_a_manifest_and_a_hash(tmp_path: Path) -> None:
    with RunWriter(tmp_path) as run:
        with pytest.raises(InvariantError, match=r"no manifest\.json"):
            run.commit(HASH)
        run.write_json("manifest.json", MANIFEST)
        with pytest.raises(InvariantError, match="64 hex digits"):
            run.commit("../../etc")
        with pytest.raises(InvariantError, match="not a file of a run"):
            run.write_json("../x.json", {})
        with pytest.raises(InvariantError, match=r"manifest\.json"):
            run.write_json("manifest.json", {"x": float("nan")})
    with pytest.raises(InvariantError, match="not open"):
        run.append_table("equity", equity(1))
