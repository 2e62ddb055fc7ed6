"""What is typed after an option, checked and converted: numbers, moments, parameters. Exact, or a usage error."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from lockstep.model.errors import UsageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:?\d{2})?)?")


def moment_ns(text: str, option: str) -> int:
    """An ISO date or date and time as ns UTC; UTC unless a zone is given.

    Raises: UsageError: anything else, or a day that does not exist.
    """
    hint = "write 2018-01-31, or 2018-01-31T15:30 (UTC unless a zone follows, as in 2018-01-31T15:30+01:00)"
    if not _ISO.fullmatch(text.strip()):
        raise UsageError(f"{option} is not an ISO date: {text!r}", hint=hint)
    try:
        moment = datetime.fromisoformat(text.strip().upper())
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError) as e:
        raise UsageError(f"{option}: no such date: {text!r} ({e})", hint=hint) from e


def decimal_of(text: str, option: str) -> Decimal:
    """A number, exactly as typed. Raises: UsageError: no finite number."""
    try:
        value = Decimal(text.strip().replace("_", ""))
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise UsageError(f"{option} must be a number: was {text!r}", hint=f"for example {option} 10, or {option} 0.5")
    return value


def params_of(pairs: Sequence[str]) -> dict[str, str]:
    """name=value pairs. Raises: UsageError: no equals sign, no name, or a name twice."""
    params: dict[str, str] = {}
    for pair in pairs:
        name, found, value = pair.partition("=")
        name = name.strip()
        if not found or not name:
            raise UsageError(f"--param was {pair!r}, not name=value", hint="for example --param fast=12")
        if name in params:
            raise UsageError(f"--param {name} was given twice: {params[name]!r} and {value!r}", hint="give it once")
        params[name] = value.strip()
    return params
