"""Lengths of bars as people write them: "1m", "5m", "1h", "1d"."""

import re

from lockstep.model.errors import UsageError
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND

_UNITS = {"s": NANOS_PER_SECOND, "m": 60 * NANOS_PER_SECOND, "h": 3600 * NANOS_PER_SECOND, "d": NANOS_PER_DAY}
_TEXT = re.compile(r"([1-9][0-9]{0,4})(s|m|min|h|d)")


def timeframe_ns(text: str) -> int:
    """The length of a bar, ns. Seconds, minutes and hours divide a day; the one length in days is 1d.

    Raises: UsageError: not a length of bars, or one that does not divide a day.
    """
    match = _TEXT.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"not a length of bars: {text!r}", hint="write 1s, 1m, 5m, 15m, 1h or 1d")
    length = int(match[1]) * _UNITS[match[2][0]]
    if length > NANOS_PER_DAY or NANOS_PER_DAY % length:
        raise UsageError(
            f"bars of {text} do not divide a day", hint="for example 1s, 30s, 1m, 5m, 15m, 30m, 1h, 4h or 1d"
        )
    return length


def timeframe_text(length_ns: int) -> str:
    """The same in its largest whole unit: 3600000000000 is "1h"; ns where there is none."""
    for unit in ("d", "h", "m", "s"):
        if length_ns >= _UNITS[unit] and length_ns % _UNITS[unit] == 0:
            return f"{length_ns // _UNITS[unit]}{unit}"
    return f"{length_ns}ns"
