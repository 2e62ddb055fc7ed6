"""Prices survive the way from text to records and back, to the last digit."""

from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.model.numbers import DECIMALS_MAX, UNITS_MAX
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.staging import ROUNDED_UNITS_MAX, units_from_doubles


@settings(max_examples=40)
@given(
    st.integers(0, DECIMALS_MAX), st.lists(st.integers(-ROUNDED_UNITS_MAX, ROUNDED_UNITS_MAX), min_size=1, max_size=500)
)
def test_units_come_back_from_the_doubles_duckdb_makes_of_decimals(decimals: int, units: list[int]) -> None:
    texts = [format(Decimal(unit).scaleb(-decimals), "f") for unit in units]
    with duckdb.connect(config={"threads": 1}) as db:
        db.register("given", {"price": np.array(texts, dtype=object)})
        got = db.execute(f"SELECT CAST(price AS DECIMAL(18,{decimals})) AS price FROM given").fetchnumpy()["price"]  # noqa: S608 - our own number
    assert units_from_doubles(got, decimals).tolist() == units


@settings(max_examples=40)
@given(
    st.integers(0, DECIMALS_MAX),
    st.lists(st.tuples(st.integers(1, UNITS_MAX), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40),
)
def test_prices_in_a_csv_are_kept_exactly_at_the_fewest_decimals(
    tmp_path_factory: pytest.TempPathFactory, decimals: int, prices: list[tuple[int, bool, int]]
) -> None:
    values = [Decimal(units).scaleb(-decimals) for units, _, _ in prices]
    texts = []
    for value, (_, exponent, zeros) in zip(values, prices, strict=True):
        plain = format(value, "f")
        texts.append(f"{value:e}" if exponent else plain + "0" * zeros if "." in plain else plain)
    path: Path = tmp_path_factory.mktemp("csv") / "x.csv"
    rows = [f"{1514764800 + 60 * i},{text},{text},{text},{text},1" for i, text in enumerate(texts)]
    path.write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    (data,) = read_market_data(path)
    kept = data.instrument.price_decimals
    needed = max(max(0, -int(value.normalize().as_tuple().exponent)) for value in values)
    assert kept == needed
    (records,) = data.chunks()
    assert [Decimal(unit).scaleb(-kept) for unit in records["p3"].tolist()] == values
