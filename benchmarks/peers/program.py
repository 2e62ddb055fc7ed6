"""What every measured program shares: its arguments, its input, and the one JSON line it prints.

A measured program is a module run with `python -m` from the repository root: ours in the running
environment, each rival in its own. Nothing but the standard library may be imported here, because a
rival's environment holds the rival alone.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

# The setting of every row, the same in every system.
FAST_PERIOD = 10
SLOW_PERIOD = 30
START_CASH_USD = 1_000_000
QUANTITY_BTC = 1
FEE_RATE = "0.001"  # 0.1 % of the notional of every fill; text, so that each system reads it exactly


@dataclass(frozen=True, slots=True)
class CsvBar:
    """One row of a `bars_1m` file. `open_ms` is the start of the minute, epoch ms UTC; prices in USD."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What one engine run did. `seconds` covers the engine run alone, its data already loaded."""

    seconds: float
    orders: int
    fills: int
    trades: int  # round trips closed
    final_equity: float  # USD, an open position marked at the last close
    crosses: int = 0  # times the averages changed places, in the rows that only watch them


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """The line a measured program prints: the best of its runs, and the peak memory of its first.

    Raises:  ValueError: a time that is not positive, or nothing filled and no cross counted. A rival that swallows an
             error inside a handler would otherwise be measured doing nothing.
    """

    name: str
    version: str
    events: int
    orders: int
    fills: int
    trades: int
    final_equity: float
    seconds: float
    peak_rss_mb: float
    crosses: int = 0
    events_per_second: float = field(init=False)

    def __post_init__(self) -> None:
        if not self.seconds > 0.0:
            raise ValueError(f"{self.name}: a run takes time, but seconds was {self.seconds}")
        if self.fills < 1 and self.crosses < 1:
            raise ValueError(
                f"{self.name}: no order filled and no cross counted on {self.events} events, nothing was measured"
            )
        if not math.isfinite(self.final_equity):
            raise ValueError(f"{self.name}: final equity was {self.final_equity}, expected a finite amount")
        object.__setattr__(self, "events_per_second", self.events / self.seconds)

    @classmethod
    def from_line(cls, line: str) -> ProgramResult:
        """Read a printed line back.

        Raises:  ValueError: not a JSON object, or fields missing or unknown.
        """
        record = json.loads(line)
        if not isinstance(record, dict):
            raise ValueError(f"expected one JSON object, was {line[:80]!r}")  # noqa: TRY004 - bad text, not a bad type
        record.pop("events_per_second", None)
        try:
            return cls(**record)
        except TypeError as e:
            raise ValueError(f"not a result line: {e}") from e

    def to_line(self) -> str:
        """The result as one line of JSON."""
        return json.dumps(asdict(self))


def read_bars(path: Path, limit: int | None) -> Iterator[CsvBar]:
    """Stream the bars of a `timestamp_ms,open,high,low,close,volume` CSV file, gzip by its name."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as text:
        rows = csv.reader(text)
        next(rows)
        for number, row in enumerate(rows):
            if number == limit:
                return
            prices = [float(cell) for cell in row[1:6]]
            yield CsvBar(int(row[0]), *prices)


def peak_rss_mb() -> float:
    """Peak resident memory of this process in MB (10**6 bytes).

    Linux keeps `ru_maxrss` across exec, so there a child starts with its parent's peak; VmHWM belongs
    to the process alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


MEASURED_SECONDS = 1.5
RUNS_MAX = 12


def best_of(name: str, version: str, events: int, repeat: int, run: Callable[[], RunFigures]) -> ProgramResult:
    """Call `run` `repeat` times and keep the fastest; memory is the peak after the first.

    Runs shorter than a second are repeated further, until MEASURED_SECONDS are spent: a tenth of a second is at the
    mercy of whatever else the machine does. The rule is the same for every system.

    Args:    run: one whole engine run on a fresh engine, timed by itself.
    Raises:  ValueError: repeat below 1, or a run that did nothing.
    """
    if repeat < 1:
        raise ValueError(f"repeat was {repeat}, the least is 1")
    best = run()
    peak = peak_rss_mb()
    done, spent = 1, best.seconds
    while done < repeat or (done < RUNS_MAX and spent < MEASURED_SECONDS):
        figures = run()
        done, spent = done + 1, spent + figures.seconds
        if figures.seconds < best.seconds:
            best = figures
    return ProgramResult(
        name=name,
        version=version,
        events=events,
        orders=best.orders,
        fills=best.fills,
        trades=best.trades,
        final_equity=best.final_equity,
        seconds=best.seconds,
        peak_rss_mb=peak,
        crosses=best.crosses,
    )


@dataclass(frozen=True, slots=True)
class ProgramArguments:
    """What a measured program is told: the row, the data, how many events of it, how many runs."""

    row: str
    path: Path
    limit: int | None
    repeat: int


def parse_arguments(description: str, rows: Sequence[str]) -> ProgramArguments:
    """Read `ROW PATH [--limit N] [--repeat N]` from the command line; a wrong one exits with code 2."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("row", choices=rows, help="what to measure")
    parser.add_argument("path", type=Path, help="bars as CSV or CSV.gz, or a ticker's folder of Lean ticks")
    parser.add_argument("--limit", type=int, default=None, help="use the first N events only")
    parser.add_argument("--repeat", type=int, default=1, help="best of N runs")
    given = parser.parse_args()
    if not given.path.exists():
        parser.error(f"no such file or folder: {given.path}")
    return ProgramArguments(given.row, given.path, given.limit, given.repeat)
