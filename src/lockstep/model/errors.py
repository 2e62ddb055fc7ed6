"""The error tree. A class says what the system does next; a message says the fact, the value and the limit.

    LockstepError
    ├── RetryError             the same request may succeed later: wait and ask again
    ├── ResyncError            our view is no longer certain: rebuild it from the source
    ├── RefuseError            do not start (or do not accept): what was given cannot be used as it is
    │   ├── UsageError         a command line or call that cannot mean anything (exit code 2)
    │   ├── ParseError         a text that is not the exact value it should be
    │   ├── InstrumentError    a price, quantity or rule outside what the instrument allows
    │   ├── DataError          market data that breaks its own rules
    │   ├── StrategyError      a strategy file, parameter or declaration that cannot be used
    │   └── StateError         saved state that does not fit what is to be restored
    └── HaltError              stop trading: going on could lose money or hide a fault
        ├── StrategyFault      a handler of the user's strategy raised
        └── InvariantError     something that must always hold does not

Expected outcomes (a refusal by risk, a reject, a partial fill) are values and events, never exceptions.
"""

from collections.abc import Iterable
from difflib import get_close_matches

_FEW = 24  # names that a hint can still list


class LockstepError(Exception):
    """Base of all our errors. `hint` says what to do next and is shown on a line of its own."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class RetryError(LockstepError):
    """The same request may succeed later."""


class ResyncError(LockstepError):
    """Our view is no longer certain and has to be rebuilt from its source."""


class RefuseError(LockstepError):
    """What was given cannot be used as it is; nothing was started or changed."""


class UsageError(RefuseError):
    """A command line or call that cannot mean anything."""

    exit_code = 2


class ParseError(RefuseError):
    """A text that is not the exact value it should be."""


class InstrumentError(RefuseError):
    """A price, quantity or rule outside what the instrument allows."""


class DataError(RefuseError):
    """Market data that breaks its own rules."""


class StrategyError(RefuseError):
    """A strategy file, parameter or declaration that cannot be used."""


class StateError(RefuseError):
    """Saved state that does not fit what is to be restored."""


class HaltError(LockstepError):
    """Going on could lose money or hide a fault."""


class StrategyFault(HaltError):
    """A handler of the user's strategy raised; the cause is chained."""


class InvariantError(HaltError):
    """Something that must always hold does not."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: the closest known name, or the list of them."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(names) if names else "none is known"


def hint_for(error: BaseException) -> str:
    """What to do about an error in the user's own code: its own hint, the name that a misspelt attribute is near to, or where to look."""
    own: str = getattr(error, "hint", "")
    if own:
        return own
    if isinstance(error, AttributeError) and error.name and error.obj is not None:
        names = [name for name in dir(error.obj) if not name.startswith("_")]
        if get_close_matches(error.name, names, n=1, cutoff=0.5) or 0 < len(names) <= _FEW:
            return did_you_mean(error.name, names)
    return "--traceback shows where"
