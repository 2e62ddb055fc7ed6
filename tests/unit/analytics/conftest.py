"""Recorded prices for the comparisons with other libraries, and short ways to write curves and fills."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from lockstep.analytics.arrays import F64, I64

DAILY = "equities_daily/sp500_5yr_daily_2013_2018.csv.gz"
MINUTES = "bars_1m/bitfinex_btcusd_1m_2018.csv.gz"
SYMBOLS = ("AAPL", "GE", "AMZN", "CVX", "BAC")


def _recorded(name: str) -> Path:
    root = Path(os.environ.get("LOCKSTEP_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
    path = root / name
    if not path.is_file():
        pytest.skip(f"no recorded data at {path}: set LOCKSTEP_DATA")
    return path


@pytest.fixture(scope="session")
def closes() -> dict[str, tuple[I64, F64]]:
    """Session closes 2013-2018 by symbol: ts (16:00 New York is 21:00 UTC in winter; taken all year), close."""
    rows: dict[str, list[tuple[str, float]]] = {symbol: [] for symbol in SYMBOLS}
    with gzip.open(_recorded(DAILY), "rt", encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            if row[1] in rows:
                rows[row[1]].append((row[0], float(row[5])))
    found = {}
    for symbol, pairs in rows.items():
        pairs.sort()
        days = np.array([day for day, _ in pairs], dtype="datetime64[ns]").astype(np.int64)
        found[symbol] = (days + 21 * 3_600_000_000_000, np.array([close for _, close in pairs]))
    return found


@pytest.fixture(scope="session")
def btc_minutes() -> tuple[I64, F64]:
    """Ends of the recorded one-minute bars of BTCUSD in 2018, and their closes."""
    with gzip.open(_recorded(MINUTES), "rt", encoding="utf-8") as lines:
        table = np.loadtxt(lines, delimiter=",", skiprows=1, usecols=(0, 4))
    return table[:, 0].astype(np.int64) * 1_000_000 + 60_000_000_000, table[:, 1].copy()
