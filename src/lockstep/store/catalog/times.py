"""Times as texts, and how the time column of a file is understood."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from lockstep.model.errors import DataError, UsageError
from lockstep.model.numbers import NANOS_PER_SECOND

EPOCH_UNITS = {"s": NANOS_PER_SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds in one unit of an epoch number."""
YEAR_2286_S = 10**10
"""Epoch seconds have at most ten digits until then; each finer unit has three digits more."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"(?<=:\d\d:\d\d)\.(\d+)")
_COMPACT_DATE = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_DATE = re.compile(r"\d{4}([-/])\d{1,2}\1\d{1,2}")
_LEAN_TIME = re.compile(r"\d{8} \d{2}:\d{2}")
_ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)")
_NAIVE = re.compile(r"\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?")


def time_text(ts_ns: int) -> str:
    """ISO text of ns UTC, with a fraction only where there is one."""
    seconds, nanos = divmod(ts_ns, NANOS_PER_SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}{f'.{nanos:09d}'.rstrip('0') if nanos else ''}Z"


Moment = int | str | datetime | None
"""A moment as callers write it: ns UTC, an ISO text, a datetime; None for no limit."""


def moment_ns(value: Moment, name: str) -> int | None:
    """A moment as ns UTC; UTC unless it says a zone. Raises: UsageError: not a moment."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    try:
        if isinstance(value, str):
            return iso_ns(value.strip())
        if isinstance(value, datetime):
            return _datetime_ns(value)
    except (ValueError, OverflowError):
        pass
    known = (
        "2018-01-31 or 2018-01-31T15:30+01:00" if isinstance(value, str) else "an ISO text, a datetime or ns since 1970"
    )
    raise UsageError(f"{name} is no moment: {value!r}", hint=f"write {known}")


def iso_ns(text: str) -> int:
    """An ISO text as ns UTC, to the last of its nine decimals; UTC unless it says a zone. Raises: ValueError, OverflowError."""
    fraction = _FRACTION.search(text)
    if fraction is None:
        return _datetime_ns(datetime.fromisoformat(text))
    if len(fraction[1]) > 9:
        raise ValueError("a moment has nine decimals at most")
    seconds = _datetime_ns(datetime.fromisoformat(text[: fraction.start()] + text[fraction.end() :]))
    return seconds + int(fraction[1].ljust(9, "0"))


def _datetime_ns(moment: datetime) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000


class TimeFormat(msgspec.Struct, frozen=True):
    """How a file writes time. kind: epoch, compact, date, zoned, naive or lean; unit_ns: for epoch numbers."""

    kind: str
    unit_ns: int
    note: str

    def sql(self, column: str) -> str:
        """The expression for ns since 1970 as written (local where the file has no zone); NULL where not a time."""
        if self.kind == "epoch":
            return f"TRY_CAST({column} AS BIGINT) * {self.unit_ns}"
        if self.kind == "zoned":  # a text without its zone must not pass as UTC
            has_zone = f"regexp_matches({column}, '(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$')"
            return f"CASE WHEN {has_zone} THEN epoch_us(TRY_CAST({column} AS TIMESTAMPTZ)) * 1000 END"
        if self.kind in ("compact", "lean"):
            pattern = "%Y%m%d" if self.kind == "compact" else "%Y%m%d %H:%M"
            return f"epoch_us(TRY_STRPTIME({column}, '{pattern}')) * 1000"
        # DuckDB drops a zone when it reads TIMESTAMP from text, so that a text with one must not get here.
        plain = f"regexp_matches({column}, '^[0-9/-]+([T ][0-9:.]+)?$')"
        return f"CASE WHEN {plain} THEN epoch_ns(TRY_CAST({column} AS TIMESTAMP_NS)) END"


def time_format(sample: str, unit: str, where: str) -> TimeFormat:
    """What kind of time a column holds, judged by its first value.

    Args:   sample: the text of the first row. unit: "s", "ms", "us", "ns" from the column's name, or "".
    Raises: DataError: no known form, or one that could be read in two ways.
    """
    text = sample.strip()
    if _COMPACT_DATE.fullmatch(text) and not unit:
        return TimeFormat("compact", 0, f"times like {text} read as dates")
    if re.fullmatch(r"-?\d+", text):
        found = unit or epoch_unit(int(text))
        origin = "as the column's name says" if unit else "by their size"
        return TimeFormat("epoch", EPOCH_UNITS[found], f"times read as epoch {found}, {origin}")
    if _DATE.fullmatch(text):
        return TimeFormat("date", 0, "")
    if _LEAN_TIME.fullmatch(text):
        return TimeFormat("lean", 0, "")
    if _ZONED.fullmatch(text):
        return TimeFormat("zoned", 0, "")
    if _NAIVE.fullmatch(text):
        return TimeFormat("naive", 0, "")
    hint = "write 2013-02-08, 2013-02-08T15:30:00Z, or epoch seconds, ms, us or ns"
    if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*", text):
        raise DataError(f"{where}: ambiguous date {text!r}: the day or the month could come first", hint=hint)
    raise DataError(f"{where}: not a time: {text!r}", hint=hint)


def epoch_unit(value: int) -> str:
    """The unit of an epoch number by its magnitude; right for years 1970 + 4 months to 2286."""
    for unit, limit in (("s", YEAR_2286_S), ("ms", YEAR_2286_S * 10**3), ("us", YEAR_2286_S * 10**6)):
        if abs(value) < limit:
            return unit
    return "ns"
