"""Build the demo data set from the stocks.csv.gz of bokeh_sampledata 2026.1: python tools/build_demo_data.py CSV [DIR].

Same input, same DuckDB, same bytes. Splits and dividends are derived from the ratio of adjusted to unadjusted close.
"""

import csv
import gzip
import hashlib
import sys
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from lockstep.store.catalog.native import write_bars
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.sql import sql_text

SOURCE_SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"
NAME = "us_stocks"
VENUE = "US"
NOISE = Fraction(1, 10**9)
"""The adjusted closes carry about 13 digits: ratios of days without an action agree to 1e-13."""
SPLIT_RATIO_MIN = Fraction(6, 5)
CENT_TOLERANCE = Fraction(1, 10**6)

Row = tuple[str, str, str, int, int, int, int]


def actions_of(symbol: str, rows: list[dict[str, str]]) -> list[Row]:
    """Splits and dividends by ex-date.

    On an ex-date the source scales all earlier adjusted closes by 1 / r, where r is new shares / old shares for a
    split and 1 + dividend / close of the ex-date for a dividend.
    Raises: ValueError: a ratio that is neither, to the last digit the source has.
    """
    found: list[Row] = []
    for before, row in pairwise(rows):
        close = Fraction(row["Close"])
        ratio = Fraction(row["Adj Close"]) / close / (Fraction(before["Adj Close"]) / Fraction(before["Close"]))
        if abs(ratio - 1) < NOISE:
            continue
        shares = ratio.limit_denominator(10)
        if max(ratio, 1 / ratio) > SPLIT_RATIO_MIN and abs(ratio - shares) < NOISE:
            found.append((symbol, row["Date"], "split", shares.numerator, shares.denominator, 0, 0))
            continue
        cents = (ratio - 1) * close * 100
        if cents < 1 or abs(cents - round(cents)) > CENT_TOLERANCE:
            raise ValueError(f"{symbol} {row['Date']}: ratio {float(ratio)} is neither a split nor whole cents")
        found.append((symbol, row["Date"], "dividend", 0, 0, round(cents), 2))
    return found


def write_actions(path: Path, rows: list[Row], db: Any) -> None:
    """The table of corporate actions, by symbol and ex-date."""
    db.execute(
        "CREATE TEMP TABLE actions (symbol VARCHAR, ex_date DATE, kind VARCHAR, ratio_num BIGINT, ratio_den BIGINT, "
        "amount_units BIGINT, amount_decimals BIGINT)"
    )
    db.executemany("INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    target = sql_text(str(path))
    db.execute(f"COPY (FROM actions ORDER BY symbol, ex_date) TO {target} (FORMAT parquet, COMPRESSION zstd)")


def main(source: Path, folder: Path) -> None:
    """Read the source, check that it is the one meant, and write both tables."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{source.name}: SHA-256 was {digest}, expected {SOURCE_SHA256}")
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        rows = defaultdict(list)
        for row in csv.DictReader(file):
            rows[row["Ticker"]].append(row)
    data = read_market_data(source, asset_class="equity")
    for one in data:
        one.instrument = msgspec.structs.replace(one.instrument, venue=VENUE)
    db = duckdb.connect(config={"threads": 1})
    write_bars(folder / f"{NAME}.parquet", data, db, notes=("Quandl WIKI, public domain: prices as traded",))
    actions = [action for symbol in sorted(rows) for action in actions_of(symbol, rows[symbol])]
    write_actions(folder / f"{NAME}_actions.parquet", actions, db)
    for one in data:
        kinds = [action[2] for action in actions if action[0] == one.instrument.symbol]
        print(
            one.instrument.symbol, one.info.rows, f"{kinds.count('split')} splits, {kinds.count('dividend')} dividends"
        )


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    demo = Path(__file__).parent.parent / "src" / "lockstep" / "store" / "demo"
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else demo)
