"""Where a backtest spends its time and memory: `python tools/profile_run.py quotes_two_ema`, or `make profile`.

Profiles the engine run of a benchmark row, its data already loaded, four ways:

    cpu     cProfile of the compiled run: the Python functions, as the compiled ones do not report to it
    native  Linux perf of the compiled run: C functions by their share of samples, then the libraries they are in
    line    line_profiler of the uncompiled run (LOCKSTEP_PURE=1), line by line; a share is a hint, not a prediction
    memory  tracemalloc of the compiled run: who holds what at the end; then the peak of the process without tracing

perf and line_profiler are not needed for anything else; where one is absent, its part says how to get it.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import ours  # noqa: E402 - the repository root is no installed package
from benchmarks.peers.program import peak_rss_mb  # noqa: E402
from benchmarks.race import Setting, recorded_data  # noqa: E402
from benchmarks.speed import LIMITS, path_of  # noqa: E402

from lockstep.run.backtest import Backtest  # noqa: E402
from lockstep.run.strategy_file import load_strategy  # noqa: E402

ROWS = ("bars_ema_cross", "orders_filled", "quotes_two_ema", "trades_ema")
WAYS = ("cpu", "native", "line", "memory")
LINE_EVENTS = 20_000
SAMPLED_SECONDS = 4.0
SAMPLES_PER_SECOND = 2000
TOP = 16


def main(words: list[str] | None = None) -> int:
    """Profile a row every way asked for. Returns 1 where the recorded data are absent."""
    parser = argparse.ArgumentParser(description="Profile the engine run of a benchmark row.")
    parser.add_argument("row", nargs="?", choices=ROWS, default="quotes_two_ema")
    parser.add_argument("--by", action="append", choices=WAYS, help="one way (repeatable); all by default")
    given = parser.parse_args(words)
    path = path_of(Setting(recorded_data(), repeat=1, quick=False, say=print), given.row)
    if not path.exists():
        print("no recorded data: set LOCKSTEP_DATA to the folder that holds bars_1m/ and lean/", file=sys.stderr)
        return 1
    ways: dict[str, Callable[[str, Path], None]] = {
        "cpu": by_cpu,
        "native": by_native,
        "line": by_line,
        "memory": by_memory,
    }
    for way in given.by or WAYS:
        print(f"\n== {given.row}, by {way}\n")
        ways[way](given.row, path)
    return 0


def run_of(row: str, path: Path, limit: int | None = None) -> Callable[[], object]:
    """The engine run of a row alone, as often as it is called, its data loaded once."""
    data, config = ours.prepare(row, [path], limit if limit is not None else LIMITS.get(row))
    strategy = load_strategy(ours.ROWS[row])
    return lambda: Backtest(strategy, data, config).run()


def by_cpu(row: str, path: Path) -> None:
    """Python functions by their own time."""
    run = run_of(row, path)
    run()
    start = time.perf_counter()
    run()
    plain = time.perf_counter() - start
    profile = cProfile.Profile()
    profile.runcall(run)
    print(f"{plain:.3f} s without cProfile, which charges every Python call:")
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(TOP)


def by_native(row: str, path: Path) -> None:
    """C functions by samples, of runs repeated until there are enough."""
    if shutil.which("perf") is None:
        print("perf is not here: install linux-perf (Debian) or linux-tools (Ubuntu); Linux alone has it")
        return
    run = run_of(row, path)
    run()
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "perf.data"
        command = ["perf", "record", "-F", str(SAMPLES_PER_SECOND), "-p", str(os.getpid()), "-o", str(samples)]
        recorder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)  # it says nothing when it has begun
        start = time.perf_counter()
        while time.perf_counter() - start < SAMPLED_SECONDS:
            run()
        recorder.send_signal(signal.SIGINT)
        recorder.wait(timeout=30)
        if not samples.exists():
            print("perf recorded nothing: it may not be allowed here (kernel.perf_event_paranoid)")
            return
        for keys, limit in (("symbol,dso", 1.0), ("dso", 0.5)):
            print(_perf_report(samples, keys, limit))


def _perf_report(samples: Path, keys: str, percent_min: float) -> str:
    command = ["perf", "report", "-i", str(samples), "--stdio", "--no-children", "--sort", keys]
    done = subprocess.run(
        [*command, "--percent-limit", str(percent_min)], capture_output=True, text=True, timeout=120, check=True
    )
    lines = [re.sub(r"\s+-\s+-\s*$", "", line).rstrip() for line in done.stdout.splitlines()]
    return "\n".join(line for line in lines if line.strip() and not line.startswith("#")) + "\n"


def by_line(row: str, path: Path) -> None:
    """Lines of the hot functions, uncompiled, in a process of its own: what is imported compiled stays so."""
    environment = os.environ | {"LOCKSTEP_PURE": "1"}
    command = [sys.executable, str(Path(__file__).with_name("profile_lines.py")), row, str(path), str(LINE_EVENTS)]
    subprocess.run(command, env=environment, check=False, cwd=ROOT)


def by_memory(row: str, path: Path) -> None:
    """What Python and numpy hold after a run, and the peak of the process."""
    run = run_of(row, path)
    before = peak_rss_mb()
    run()
    print(f"peak of the process: {before:.1f} MB with the data loaded, {peak_rss_mb():.1f} MB after a run")
    tracemalloc.start()
    start = tracemalloc.take_snapshot()
    run()
    held, peak = tracemalloc.get_traced_memory()
    print(f"one run under tracemalloc: {peak / 1e6:.2f} MB at its peak, {held / 1e6:.2f} MB held after it")
    for entry in tracemalloc.take_snapshot().compare_to(start, "lineno")[:TOP]:
        frame = entry.traceback[0]
        name = "/".join(Path(frame.filename).parts[-3:])
        print(f"{entry.size_diff / 1e3:10.1f} kB {entry.count_diff:8} blocks  {name}:{frame.lineno}")
    tracemalloc.stop()


if __name__ == "__main__":
    sys.exit(main())
