"""What the levels mean, which components there are, and how a text sets a level for each.

DEBUG      an expected step on the way: a request arrived, an order was accepted or triggered
INFO       what a trader wants to read: orders sent, filled, cancelled; signals; the start, the end and its summary
WARNING    something asked for was not done, or the truth changed: refused, rejected, corrected, busted
ERROR      a person should look; the run goes on: an order whose fate is unknown, a stream that cannot be written
CRITICAL   the run ended because of it
"""

import logging
from collections.abc import Mapping

import msgspec

from lockstep.model.errors import UsageError, did_you_mean

LEVELS: dict[str, int] = {name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}
COMPONENTS = ("run", "strategy", "risk", "orders", "portfolio", "data", "venues", "journal")
"""What a level can be set for; a logger outside of `lockstep` is its own component, at the level of the rest."""
DEFAULT_LEVEL = logging.INFO


class Levels(msgspec.Struct, frozen=True):
    """The lowest level that is written: for each component named, and for all others."""

    rest: int = DEFAULT_LEVEL
    named: Mapping[str, int] = {}

    def of(self, component: str) -> int:
        """The lowest level of a component that is written."""
        return self.named.get(component, self.rest)

    @property
    def lowest(self) -> int:
        """No component writes anything below."""
        return min((self.rest, *self.named.values()))


def levels_from_text(text: str) -> Levels:
    """Levels from a text such as `info` or `warning,risk=debug`.

    Raises: UsageError: a level or component there is not, or a component named twice.
    """
    rest: int | None = None
    named: dict[str, int] = {}
    for part in text.split(","):
        component, equals, word = (piece.strip() for piece in part.rpartition("="))
        level = _level(word)
        if not equals:
            if rest is not None:
                raise UsageError(f"log level {text!r} names two levels for all components", hint="info,risk=debug")
            rest = level
        elif component not in COMPONENTS:
            raise UsageError(
                f"no component {component!r} writes a log",
                hint=did_you_mean(component, COMPONENTS),
            )
        elif component in named:
            raise UsageError(f"log level {text!r} names {component} twice")
        else:
            named[component] = level
    return Levels(DEFAULT_LEVEL if rest is None else rest, named)


def _level(word: str) -> int:
    level = LEVELS.get(word.upper())
    if level is None:
        raise UsageError(f"no log level {word!r}", hint=did_you_mean(word.lower(), [name.lower() for name in LEVELS]))
    return level
