"""Numbers, times and spans as people read them. One place, so that the page speaks with one voice.

Shares are fractions (0.042 is "4.2 %"), times int64 nanoseconds UTC, spans nanoseconds. NaN and None read as a dash.
"""

import math
from datetime import UTC, datetime, timedelta

from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND

__all__ = [
    "DASH",
    "count",
    "date",
    "date_or_minute",
    "money",
    "number",
    "percent",
    "plural",
    "ratio",
    "signed_money",
    "signed_percent",
    "span",
]

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
SECOND_NS = NANOS_PER_SECOND
DAY_NS = NANOS_PER_DAY
SIGNS = {"USD": "$", "EUR": "\N{EURO SIGN}", "GBP": "\N{POUND SIGN}", "JPY": "\N{YEN SIGN}"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _is_missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def number(value: float | None, decimals: int = 2) -> str:
    """1234.5 -> "1,234.50"; a value that rounds to zero has no sign."""
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    text = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if negative else text


def ratio(value: float | None) -> str:
    """A pure number such as a Sharpe ratio, two decimals."""
    return number(value, 2)


def count(value: float) -> str:
    """A whole number with thousands separators."""
    return number(value, 0)


def percent(share: float | None, decimals: int = 1) -> str:
    """0.0423 -> "4.2 %"."""
    if share is None or _is_missing(share):
        return DASH
    return f"{number(share * 100, decimals)}{NARROW_SPACE}%"


def _signed(text: str, value: float | None) -> str:
    positive = value is not None and value > 0 and any(digit in "123456789" for digit in text)
    return f"+{text}" if positive else text


def signed_percent(share: float | None, decimals: int = 1) -> str:
    """0.0423 -> "+4.2 %"; zero has no sign."""
    return _signed(percent(share, decimals), share)


def money(amount: float | None, currency: str, decimals: int | None = None) -> str:
    """12345.6, "USD" -> "$12,346"; small amounts keep their cents; currencies without a sign follow the number."""
    if amount is None or _is_missing(amount):
        return DASH
    places = decimals if decimals is not None else (2 if abs(amount) < 1_000 else 0)
    text = number(abs(amount), places)
    minus = MINUS if amount < 0 and any(digit in "123456789" for digit in text) else ""
    sign = SIGNS.get(currency)
    return f"{minus}{sign}{text}" if sign else f"{minus}{text} {currency}".rstrip()


def signed_money(amount: float | None, currency: str) -> str:
    """Like `money`, with a plus for a gain."""
    return _signed(money(amount, currency), amount)


def plural(n: int, noun: str, nouns: str = "") -> str:
    """1, "trade" -> "1 trade"; 0 and 2 -> "0 trades", "2 trades"."""
    return f"{count(n)} {noun if n == 1 else nouns or noun + 's'}"


def _moment(ts_ns: int) -> datetime:
    return EPOCH + timedelta(microseconds=ts_ns // 1_000)


def date(ts_ns: int) -> str:
    """The UTC date, "2013-03-01"."""
    return _moment(ts_ns).strftime("%Y-%m-%d")


def date_or_minute(ts_ns: int, bar_ns: int) -> str:
    """The date for daily bars and longer, otherwise date and minute; both UTC."""
    return date(ts_ns) if bar_ns >= DAY_NS else _moment(ts_ns).strftime("%Y-%m-%d %H:%M")


def span(ns: float) -> str:
    """A length of time in the unit that reads best: "850 ms", "3 h 20 min", "12 days", "2.4 years"."""
    seconds = ns / SECOND_NS
    days = seconds / 86_400
    if seconds < 1:
        return f"{number(ns / 1e6, 0)} ms"
    if seconds < 120:
        return f"{number(seconds, 0)} s"
    if seconds < 7_200:
        return f"{number(seconds / 60, 0)} min"
    if days == 1:
        return "1 day"
    if days < 2:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{number(days, 0)} days" if days < 730 else f"{number(days / 365.25, 1)} years"
