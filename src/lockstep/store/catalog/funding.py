"""Funding rates of perpetual contracts from a file: what longs paid shorts, when, and at which mark price.

A CSV with a header has the columns time (or timestamp, timestamp_ms, fundingTime), rate (or fundingRate) and, where known,
mark (or markPrice). Without a header it is Lean's margin_interest file: `20221213 08:00:00,-0.00022398`. Times are UTC.
"""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from lockstep.model.errors import DataError, ParseError
from lockstep.model.numbers import NANOS_PER_SECOND, UNITS_MAX, decimals_of, fixed_from_text
from lockstep.store.catalog.times import EPOCH_UNITS, moment_ns

_TIMES = ("time", "timestamp", "ts", "funding_time", "fundingtime", "timestamp_ms", "timestamp_ns", "timestamp_s")
_RATES = ("rate", "funding_rate", "fundingrate")
_MARKS = ("mark", "mark_price", "markprice")
_EPOCH_DIGITS = {10: "s", 13: "ms", 16: "us", 19: "ns"}
_LEAN_TIME = "%Y%m%d %H:%M:%S"


class FundingRate(msgspec.Struct, frozen=True):
    """At ts, ns UTC, longs paid `rate` of the position's value (received, below 0), 10**-decimals; mark: "" unknown."""

    ts: int
    rate: int
    decimals: int
    mark: str = ""


class FundingRates(msgspec.Struct, frozen=True, kw_only=True):
    """The funding of one instrument in order of time. source: the file's name."""

    source: str
    rates: tuple[FundingRate, ...]

    def rows(self) -> list[list[int | str]]:
        """The values as plain data, for a run's identity: few enough that a recording holds them itself."""
        return [[one.ts, one.rate, one.decimals, one.mark] for one in self.rates]


def funding_from_rows(rows: Sequence[Sequence[Any]]) -> FundingRates:
    """Back from `FundingRates.rows`."""
    return FundingRates(source="recording", rates=tuple(FundingRate(*row) for row in rows))


def read_funding(path: Path) -> FundingRates:
    """Read a file of funding rates.

    Raises: DataError: no such file, no such columns, a line that is no time and rate, times that do not rise, or a rate of
            100 % or more.
    """
    try:
        rows = [row for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if row]
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"{path}: cannot be read as funding rates: {e}") from e
    if not rows:
        raise DataError(f"{path}: no funding rates in it")
    places = _columns(rows[0], path)
    found: list[FundingRate] = []
    for number, row in enumerate(rows[places[3] :], 1 + places[3]):
        one = _rate(row, places, f"{path} line {number}")
        if found and one.ts <= found[-1].ts:
            raise DataError(
                f"{path} line {number}: times must rise: {row[places[0]]} does not come after the line before"
            )
        found.append(one)
    if not found:
        raise DataError(f"{path}: no funding rates in it")
    return FundingRates(source=path.name, rates=tuple(found))


def _columns(first: Sequence[str], path: Path) -> tuple[int, int, int | None, int]:
    """Where time, rate and mark stand, and how many lines come before the first rate."""
    names = [name.strip().lower() for name in first]
    if names[0][:1].isdigit() and len(names) == 2:
        return 0, 1, None, 0
    time, rate, mark = (
        next((names.index(name) for name in known if name in names), None) for known in (_TIMES, _RATES, _MARKS)
    )
    if time is None or rate is None:
        raise DataError(
            f"{path}: funding rates need the columns time and rate: has {', '.join(first)}",
            hint="time,rate or time,rate,mark; Lean's margin_interest files have no header",
        )
    return time, rate, mark, 1


def _rate(row: Sequence[str], places: tuple[int, int, int | None, int], where: str) -> FundingRate:
    time, rate, mark, _ = places
    if len(row) <= max(time, rate, mark or 0):
        raise DataError(f"{where}: too few values: {','.join(row)!r}")
    text = row[rate].strip()
    price = row[mark].strip() if mark is not None else ""
    try:
        decimals = decimals_of(text)
        units = fixed_from_text(text, decimals)
        if price:
            decimals_of(price)
        ts = _time_ns(row[time].strip())
    except (ParseError, ValueError) as e:
        raise DataError(f"{where}: not a time and a funding rate: {','.join(row)!r}: {e}") from e
    if abs(units) >= 10**decimals or abs(units) > UNITS_MAX:
        raise DataError(
            f"{where}: a funding rate of {text} is {100 * float(text):g} %, limit below 100 %",
            hint="rates are fractions: 0.0001 is 0.01 %",
        )
    return FundingRate(ts, units, decimals, price)


def _time_ns(text: str) -> int:
    if text.isdigit() and len(text) in _EPOCH_DIGITS:
        return int(text) * EPOCH_UNITS[_EPOCH_DIGITS[len(text)]]
    if len(text) == len("20221213 08:00:00") and text[:8].isdigit():
        return int(datetime.strptime(text, _LEAN_TIME).replace(tzinfo=UTC).timestamp()) * NANOS_PER_SECOND
    found = moment_ns(text, "the time")
    assert found is not None
    return found
