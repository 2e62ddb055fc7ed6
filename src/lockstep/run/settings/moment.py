"""A moment as people write it, in ns UTC."""

import re

from lockstep.model.errors import UsageError
from lockstep.store.catalog.times import iso_ns

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?")


def moment_ns(text: str, what: str) -> int:
    """An ISO date or date and time as ns UTC; UTC unless a zone is given.

    Args:   what: how the message calls it, such as "--start".
    Raises: UsageError: anything else, or a day that does not exist.
    """
    hint = "write 2018-01-31, or 2018-01-31T15:30 (UTC unless a zone follows, as in 2018-01-31T15:30+01:00)"
    if not _ISO.fullmatch(text.strip()):
        raise UsageError(f"{what} is not an ISO date: {text!r}", hint=hint)
    try:
        return iso_ns(text.strip().upper())
    except (ValueError, OverflowError) as e:
        raise UsageError(f"{what}: no such date: {text!r} ({e})", hint=hint) from e
