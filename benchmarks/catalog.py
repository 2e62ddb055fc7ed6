"""What the catalog costs, best of several: a year of bars into arrays, one day, and importing a CSV.

Each function takes files as they were recorded, works in a folder it removes again, and gives the figure alone, so that a
row of the benchmarks can call it. Run by itself it prints all three: `python -m benchmarks.catalog FILE...`.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lockstep.store.catalog.catalog import Catalog
from lockstep.store.catalog.readers import read_market_data

NANOS_PER_DAY = 86_400 * 10**9


@contextmanager
def filled(paths: Sequence[Path]) -> Iterator[Catalog]:
    """A catalog that holds these files and nothing else."""
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        catalog = Catalog(Path(folder))
        for path in paths:
            catalog.vault.put(read_market_data(path))
        yield catalog


def catalog_year(catalog: Catalog, repeat: int = 5) -> tuple[int, float]:
    """Bars of all instruments of the catalog as float64 arrays: rows, and the seconds of the best of `repeat`."""
    best, rows = float("inf"), 0
    for _ in range(repeat):
        begin = time.perf_counter()
        every = [catalog.get_bars(entry.instrument.id) for entry in catalog.vault.entries()]
        columns = [(bars.ts_open, bars.open, bars.high, bars.low, bars.close, bars.volume) for bars in every]
        best = min(best, time.perf_counter() - begin)
        rows = sum(len(one[0]) for one in columns)
    return rows, best


def catalog_day(catalog: Catalog, repeat: int = 50) -> float:
    """Seconds to read one day of bars in the middle of the first instrument's history, over an open connection."""
    name = catalog.vault.entries()[0].instrument.id
    opens = catalog.get_bars(name).ts_open
    start = int(opens[len(opens) // 2]) // NANOS_PER_DAY * NANOS_PER_DAY
    best = float("inf")
    for _ in range(repeat):
        begin = time.perf_counter()
        day = catalog.get_bars(name, start, start + NANOS_PER_DAY)
        close = day.close
        best = min(best, time.perf_counter() - begin)
        assert np.all(close > 0)
        assert len(close)
    return best


def csv_import(path: Path, repeat: int = 3) -> float:
    """Rows a second of importing one CSV, unpacked before the clock starts: read, check, write, make visible."""
    best = 0.0
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        plain = Path(folder) / path.name.removesuffix(".gz")
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as packed, plain.open("wb") as out:
            shutil.copyfileobj(packed, out)
        for turn in range(repeat):
            catalog = Catalog(Path(folder) / f"home{turn}")
            begin = time.perf_counter()
            (stored,) = catalog.vault.put(read_market_data(plain)).stored
            best = max(best, stored.added / (time.perf_counter() - begin))
    return best


if __name__ == "__main__":
    files = [Path(word) for word in sys.argv[1:]]
    with filled(files) as full:
        bars, seconds = catalog_year(full)
        print(f"catalog_year {bars:,} bars in {seconds:.3f} s")
        print(f"catalog_day  {catalog_day(full) * 1e3:.2f} ms")
    print(f"csv_import   {csv_import(files[0]):,.0f} rows/s")
