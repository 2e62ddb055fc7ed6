"""What is asked of a strategy before it is given a seat."""

from collections.abc import Collection

from lockstep.model.errors import StrategyError
from lockstep.strategy.base import MARKET_HANDLERS, Strategy

_TIME_END = 2**63 - 1


def check_seat(cls: type[Strategy], name: str, instruments: int, taken: Collection[str]) -> None:
    """Whether a strategy may sit down. instruments: how many it is to trade. taken: the names of those that sit.

    Raises: StrategyError: it could never act, trades another number of instruments, or its name is taken.
    """
    if all(getattr(cls, handler) is getattr(Strategy, handler) for handler in MARKET_HANDLERS):
        raise StrategyError(
            f"{cls.__name__} has no handler that could ever trade",
            hint=f"write one of {', '.join(MARKET_HANDLERS)}",
        )
    if cls.trades == "one" and instruments != 1:
        raise StrategyError(
            f"{cls.__name__} trades one instrument per instance, was given {instruments}",
            hint='seat an instance per instrument, or set trades = "all"',
        )
    if name in taken:
        raise StrategyError(
            f"a strategy named {name!r} is seated already", hint="its saved state needs a name of its own"
        )


def is_time(value: object) -> bool:
    """Whether it is an int that fits a time in ns."""
    return isinstance(value, int) and not isinstance(value, bool) and value < _TIME_END
