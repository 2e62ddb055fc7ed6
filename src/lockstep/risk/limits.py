"""What the gate allows, as data."""

from decimal import Decimal

import msgspec

from lockstep.model.errors import ParseError, RefuseError
from lockstep.model.numbers import exact_fraction


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits per instrument; None is no limit.

    order_qty_max: base units of one order. position_max: base units of |position| if every working order filled.
    buying_power: refuse orders that could bring the account's exposure, whichever working orders fill, above equity x
    leverage. An order that only closes is never refused by it.
    """

    order_qty_max: Decimal | None = None
    position_max: Decimal | None = None
    buying_power: bool = True

    def __post_init__(self) -> None:
        """Raises: RefuseError: a limit below 0, or no number."""
        for name in ("order_qty_max", "position_max"):
            value = getattr(self, name)
            try:
                known = value is None or exact_fraction(value) >= 0
            except ParseError as e:
                raise RefuseError(f"risk limit {name}: {e}") from None
            if not known:
                raise RefuseError(f"risk limit {name} was {value}, must be 0 or more")


NO_LIMITS = RiskLimits()
"""Buying power alone."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why the gate said no: the rule, its limit and what the order would have made of it."""

    rule: str
    limit: float
    actual: float
