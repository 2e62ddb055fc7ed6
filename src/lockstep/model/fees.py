"""Fee schedules: what a fill costs, exactly, rounded once and against us."""

from decimal import Decimal
from fractions import Fraction

import msgspec

from lockstep.model.errors import ParseError
from lockstep.model.numbers import decimals_of


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """maker and taker: fractions of notional; per_unit: currency per 1.0 of quantity; flat: currency per order.

    The parts add up; `minimum` is per order and applies to its first fill. Negative maker fees (rebates) are allowed.
    """

    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)
    per_unit: Decimal = Decimal(0)
    flat: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)

    def scaled(self, factor: int | Fraction) -> "FeeSchedule":
        """The same schedule, `factor` times as dear (for cost sensitivity)."""
        f = Decimal(factor.numerator) / Decimal(factor.denominator)
        return FeeSchedule(
            maker=self.maker * f,
            taker=self.taker * f,
            per_unit=self.per_unit * f,
            flat=self.flat * f,
            minimum=self.minimum * f,
        )

    def text(self) -> str:
        """The schedule as the command line writes it."""
        parts = []
        if self.maker or self.taker:
            maker, taker = (f"{(rate * 100).normalize():f}%" for rate in (self.maker, self.taker))
            parts.append(taker if maker == taker else f"{maker}/{taker}")
        for amount, unit in ((self.per_unit, "/share"), (self.flat, "/order"), (self.minimum, "/minimum")):
            if amount:
                parts.append(f"{amount.normalize():f}{unit}")
        return " + ".join(parts) or "0"


def fee_schedule_from_text(text: str) -> FeeSchedule:
    """Parse "0.1%", "0.02%/0.05%" (maker/taker), "0.005/share", "1/order", "1/minimum", or several joined by "+".

    Raises: ParseError: a part that is none of these.
    """
    fields: dict[str, Decimal] = {}
    names = {"share": "per_unit", "unit": "per_unit", "order": "flat", "minimum": "minimum"}
    for part in (p.strip() for p in text.split("+")):
        number, _, unit = part.partition("/")
        if part in ("", "0", "none"):
            continue
        if number.endswith("%"):
            taker = unit or number
            if not taker.endswith("%"):
                raise ParseError(f"fee not understood: {part!r}", hint="write maker and taker as 0.02%/0.05%")
            fields["maker"], fields["taker"] = _percent(number), _percent(taker)
        elif unit in names:
            fields[names[unit]] = _amount(number)
        else:
            raise ParseError(
                f"fee not understood: {part!r}", hint="examples: 0.1%, 0.02%/0.05%, 0.005/share, 1/order, joined by +"
            )
    return FeeSchedule(**fields)


def _amount(text: str) -> Decimal:
    decimals_of(text)
    return Decimal(text)


def _percent(text: str) -> Decimal:
    return _amount(text.removesuffix("%")) / 100
