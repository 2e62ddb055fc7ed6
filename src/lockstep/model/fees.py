"""Fee schedules: what a fill costs, exactly, rounded once and against us."""

from decimal import Decimal
from fractions import Fraction

import msgspec

from lockstep.model.errors import ParseError
from lockstep.model.numbers import MONEY, exact_decimal

_UNITS = {"share": "per_unit", "unit": "per_unit", "order": "flat", "minimum": "minimum"}
_EXAMPLES = "examples: 0.1%, 0.02%/0.05%, 0.005/share, 1/order, joined by +"


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """maker and taker: fractions of notional; per_unit: currency per 1.0 of quantity; flat: currency per order.

    The parts add up; `minimum` is per order and applies to its first fill. Negative rates (rebates) are allowed.
    """

    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)
    per_unit: Decimal = Decimal(0)
    flat: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Raises: ParseError: a part that is no finite Decimal, or an amount below 0."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not isinstance(value, Decimal) or not value.is_finite():
                raise ParseError(f"fee {name} was {value!r}, must be a finite Decimal")
            if value < 0 and name not in ("maker", "taker"):
                raise ParseError(f"fee {name} was {value}, must be 0 or more", hint="a rebate is a negative maker rate")

    def scaled(self, factor: int | Fraction) -> "FeeSchedule":
        """The same schedule, `factor` times as dear (for cost sensitivity).

        Raises: ParseError: a part that is no finite decimal afterwards (a third of 0.1).
        """
        return FeeSchedule(**{name: _times(getattr(self, name), factor) for name in self.__struct_fields__})

    def text(self) -> str:
        """The schedule as the command line writes it."""
        parts = []
        if self.maker or self.taker:
            maker, taker = (f"{_plain(MONEY.scaleb(rate, 2))}%" for rate in (self.maker, self.taker))
            parts.append(taker if maker == taker else f"{maker}/{taker}")
        for amount, unit in ((self.per_unit, "/share"), (self.flat, "/order"), (self.minimum, "/minimum")):
            if amount:
                parts.append(f"{_plain(amount)}{unit}")
        return " + ".join(parts) or "0"


def fee_schedule_from_text(text: str) -> FeeSchedule:
    """Parse "0.1%", "0.02%/0.05%" (maker/taker), "0.005/share", "1/order", "1/minimum", or several joined by "+".

    "0" and "none" are no fees at all; an empty text is not, since fees are on unless someone says otherwise.

    Raises: ParseError: a part that is none of these, or one kind of part given twice.
    """
    fields: dict[str, Decimal] = {}
    if text.strip() in ("0", "none"):
        return FeeSchedule()
    for part in (p.strip() for p in text.split("+")):
        found = _part(part)
        for name in found:
            if name in fields:
                raise ParseError(f"fee {text!r} says twice what is charged: {part!r}", hint="give each kind once")
        fields.update(found)
    return FeeSchedule(**fields)


def _part(part: str) -> dict[str, Decimal]:
    number, _, unit = part.partition("/")
    number, unit = number.strip(), unit.strip()
    try:
        if number.endswith("%"):
            taker = unit or number
            if not taker.endswith("%"):
                raise ParseError(f"fee not understood: {part!r}", hint="write maker and taker as 0.02%/0.05%")
            return {"maker": _percent(number), "taker": _percent(taker)}
        return {_UNITS[unit]: exact_decimal(number)}
    except KeyError:
        raise ParseError(f"fee not understood: {part!r}", hint=_EXAMPLES) from None
    except ParseError as e:
        raise ParseError(f"fee {part!r}: {e}", hint=e.hint or _EXAMPLES) from None


def _percent(text: str) -> Decimal:
    return MONEY.scaleb(exact_decimal(text.removesuffix("%").strip()), -2)


def _times(amount: Decimal, factor: int | Fraction) -> Decimal:
    exact = Fraction(amount) * factor
    try:
        return MONEY.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    except ArithmeticError:
        raise ParseError(f"fee {amount} times {factor} is no finite decimal") from None


def _plain(value: Decimal) -> str:
    return f"{MONEY.normalize(value):f}"
