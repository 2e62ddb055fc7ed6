"""What is traded, and by which rules. The one place where a float or text becomes an order's price or quantity."""

from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import msgspec

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.errors import InstrumentError, ParseError
from lockstep.model.fees import FeeSchedule
from lockstep.model.numbers import (
    DECIMALS_MAX,
    MONEY,
    UNITS_MAX,
    Number,
    Price,
    Qty,
    decimal_from_fixed,
    exact_fraction,
    fixed_from_number,
    fraction_digits,
    text_from_fixed,
)
from lockstep.model.sessions import ALWAYS, Session

_FEWER_DECIMALS = "declare fewer decimals, or a bigger unit of price or quantity: value x 10**decimals may reach 2**53"
_NOTHING = "self.size() gives 0.0 where the money buys less than a lot: skip the order, or use target_position"


class Rounding(Enum):
    """Which way a value between two steps goes; money paths name it, nothing rounds by itself."""

    DOWN = "down"
    UP = "up"
    NEAREST = "nearest"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable thing. Prices and quantities are ints at its decimals; tick and lot are rules checked against them.

    tick_size, price_max: price units. lot_size, qty_min, qty_max: quantity units. multiplier: quote currency per
    (1.0 of price x 1.0 of quantity). price_band_bps: the venue rejects orders further than this from its last trade, before any
    from the middle; None where there is no band. quanto_rate: settlement currency per quote currency, for QUANTO alone.
    margin_initial, margin_maintenance: of an exposure the fractions that opening and keeping it tie up; 0 leaves them to the account.
    """

    venue: str
    symbol: str
    asset_class: AssetClass
    base_currency: str
    quote_currency: str
    price_decimals: int
    qty_decimals: int
    tick_size: int = 1
    lot_size: int = 1
    qty_min: int = 0
    price_max: int = UNITS_MAX
    qty_max: int = UNITS_MAX
    multiplier: Decimal = Decimal(1)
    settlement: Settlement = Settlement.CASH
    quanto_rate: Decimal = Decimal(1)
    settlement_currency: str = ""
    fees: FeeSchedule = FeeSchedule()
    session: Session = ALWAYS
    price_band_bps: int | None = None
    margin_initial: Decimal = Decimal(0)
    margin_maintenance: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Raises: InstrumentError: a rule that cannot hold."""
        for name in ("price_decimals", "qty_decimals"):
            if not _is_whole(getattr(self, name)) or not 0 <= getattr(self, name) <= DECIMALS_MAX:
                raise InstrumentError(f"{self.id}: {name} was {getattr(self, name)!r}, limit 0 to {DECIMALS_MAX}")
        for name in ("tick_size", "lot_size", "price_max", "qty_max"):
            if not _is_whole(getattr(self, name)) or not 1 <= getattr(self, name) <= UNITS_MAX:
                raise InstrumentError(
                    f"{self.id}: {name} was {getattr(self, name)!r} units, limit 1 to 2**53", hint=_FEWER_DECIMALS
                )
        if not _is_whole(self.qty_min) or not 0 <= self.qty_min <= self.qty_max:
            raise InstrumentError(
                f"{self.id}: qty_min was {self.qty_min!r} units, limit 0 to qty_max, which is {self.qty_max}"
            )
        if self.tick_size > self.price_max or self.lot_size > self.qty_max:
            raise InstrumentError(
                f"{self.id}: a tick of {self.tick_size} and a lot of {self.lot_size} units leave nothing to trade "
                f"under maxima of {self.price_max} and {self.qty_max}"
            )
        for name in ("multiplier", "quanto_rate"):
            value = getattr(self, name)
            if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
                raise InstrumentError(f"{self.id}: {name} was {value!r}, must be a Decimal above 0")
        for name in ("margin_initial", "margin_maintenance"):
            value = getattr(self, name)
            if not isinstance(value, Decimal) or not value.is_finite() or not 0 <= value <= 1:
                raise InstrumentError(f"{self.id}: {name} was {value!r}, must be a Decimal from 0 to 1, such as 0.1")
        if self.margin_maintenance > self.margin_initial > 0:
            raise InstrumentError(
                f"{self.id}: margin_maintenance was {self.margin_maintenance}, limit {self.margin_initial}, its margin_initial"
            )
        if self.price_band_bps is not None and (not _is_whole(self.price_band_bps) or self.price_band_bps < 1):
            raise InstrumentError(
                f"{self.id}: price_band_bps was {self.price_band_bps!r}, must be a whole number above 0, or None"
            )
        if self.settlement is Settlement.QUANTO and not self.settlement_currency:
            raise InstrumentError(
                f"{self.id}: a quanto names the currency it settles in: settlement_currency was empty"
            )

    @property
    def id(self) -> str:
        """Symbol and venue, like "AAPL.XNAS"; the name in journals and results."""
        return f"{self.symbol}.{self.venue}"

    @property
    def currency(self) -> str:
        """The currency that fills, fees and profit settle in."""
        if self.settlement_currency:
            return self.settlement_currency
        return self.base_currency if self.settlement is Settlement.INVERSE else self.quote_currency

    @property
    def money_decimals(self) -> int:
        """The decimals at which price x quantity x multiplier is a whole number."""
        return self.price_decimals + self.qty_decimals + fraction_digits(self.multiplier)

    def price_from(self, value: Number, rounding: Rounding | None = None) -> Price:
        """An order price from what a user wrote.

        Args:   value: in quote currency. rounding: None refuses a price off the tick; else the named direction.
        Raises: InstrumentError: not a number, off the tick, not above 0 or beyond price_max.
        """
        units = self._units(value, self.price_decimals, self.tick_size, rounding, "price")
        if not 0 < units <= self.price_max:
            raise InstrumentError(
                f"{self.id}: price was {value}, limit above 0 up to {self.price_text(self.price_max)}",
                hint=_FEWER_DECIMALS if units > UNITS_MAX else "",
            )
        return Price(units)

    def qty_from(self, value: Number, rounding: Rounding | None = None) -> Qty:
        """An order quantity from what a user wrote.

        Args:   value: in base units (shares, coins, contracts). rounding: None refuses a quantity off the lot.
        Raises: InstrumentError: not a number, off the lot, not above 0, below qty_min or beyond qty_max.
        """
        units = self._units(value, self.qty_decimals, self.lot_size, rounding, "quantity")
        if not max(1, self.qty_min) <= units <= self.qty_max:
            low = self.qty_text(max(1, self.qty_min))
            raise InstrumentError(
                f"{self.id}: quantity was {value}, limit {low} to {self.qty_text(self.qty_max)}",
                hint=_FEWER_DECIMALS if units > UNITS_MAX else _NOTHING if units == 0 else "",
            )
        return Qty(units)

    def _units(self, value: Number, decimals: int, step: int, rounding: Rounding | None, what: str) -> int:
        if rounding is None:
            try:
                units = fixed_from_number(value, decimals, what)
            except ParseError as e:
                raise InstrumentError(f"{self.id}: {e}", hint=self._step_hint(what, decimals, step)) from None
            if units % step:
                raise InstrumentError(
                    f"{self.id}: {what} not on {'tick' if what == 'price' else 'lot'}: "
                    f"was {value}, step {text_from_fixed(step, decimals)}",
                    hint=self._step_hint(what, decimals, step),
                )
            return units
        try:
            exact = exact_fraction(value, what) * 10**decimals / step
        except ParseError as e:
            raise InstrumentError(f"{self.id}: {e}") from None
        steps = exact.numerator // exact.denominator
        if rounding is Rounding.UP:
            steps = -(-exact.numerator // exact.denominator)
        elif rounding is Rounding.NEAREST:
            steps = round(exact)
        return int(steps * step)

    def _step_hint(self, what: str, decimals: int, step: int) -> str:
        method = "round_price" if what == "price" else "round_qty"
        return f"steps of {text_from_fixed(step, decimals)}; round first with self.{method}(value)"

    def price_text(self, units: int) -> str:
        """The exact text of a price."""
        return text_from_fixed(units, self.price_decimals)

    def qty_text(self, units: int) -> str:
        """The exact text of a quantity."""
        return text_from_fixed(units, self.qty_decimals)

    def notional(self, price: Price, qty: Qty) -> Decimal:
        """What a quantity is worth at a price, exactly, in `currency`; for INVERSE rounded half even to 15 decimals.

        An inverse contract of `qty` is worth qty x multiplier of quote currency, hence that over price in the base.
        """
        if self.settlement is Settlement.INVERSE:
            worth = self.inverse_value(price, qty)
            units = round(worth * 10**DECIMALS_MAX)
            return decimal_from_fixed(units, DECIMALS_MAX)
        worth_quoted = MONEY.multiply(
            decimal_from_fixed(price * qty, self.price_decimals + self.qty_decimals), self.multiplier
        )
        return MONEY.multiply(worth_quoted, self.quanto_rate if self.settlement is Settlement.QUANTO else Decimal(1))

    def inverse_value(self, price: Price, qty: Qty) -> Fraction:
        """qty x multiplier / price, exactly, in the base currency."""
        return (
            Fraction(qty, 10**self.qty_decimals) * Fraction(self.multiplier) * Fraction(10**self.price_decimals, price)
        )

    def with_fees(self, fees: FeeSchedule) -> "Instrument":
        """The same instrument under another fee schedule."""
        return msgspec.structs.replace(self, fees=fees)

    def facts(self) -> dict[str, Any]:
        """Plain values for manifests and run hashes."""
        facts: dict[str, Any] = msgspec.to_builtins(self)
        return facts


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
