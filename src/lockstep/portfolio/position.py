"""Positions, exactly: what the account holds of an instrument, and each strategy's part of it (open, add, close, flip)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.valuation import Valuation
    from cython.cimports.lockstep.portfolio.ledger import Ledger
else:
    from lockstep.model.valuation import Valuation
    from lockstep.portfolio.ledger import Ledger
from lockstep.model.errors import InvariantError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import Money, decimal_from_fixed


@cython.final
@cython.cclass
class Rate:
    """What 1 of a currency is worth in the account's: as stated, or the last price of an instrument among the data.

    stated: exact, None where source tells. inverted: the source prices the account's currency in this one.
    """

    currency: str
    stated: Fraction | None
    source: "Holding | None"
    inverted: cython.bint
    fixed: cython.double
    scale: cython.double

    def __init__(self, currency: str, stated: Fraction | None, source: "Holding | None", inverted: bool) -> None:
        self.currency = currency
        self.stated = stated
        self.source = source
        self.inverted = inverted
        self.fixed = float("nan") if stated is None else float(stated)
        self.scale = 1.0 if source is None else 10.0**source.instrument.price_decimals

    def value(self) -> cython.double:
        """The rate for marking; nan before the first price of its source, and where that is not above 0."""
        source: Holding | None = self.source
        if source is None:
            return self.fixed
        if not source.last > 0.0:
            return float("nan")
        return self.scale / source.last if self.inverted else source.last / self.scale

    def exact(self) -> Fraction | None:
        """The rate as an exact fraction; None while it is not known."""
        source: Holding | None = self.source
        if source is None:
            return self.stated
        if source.last_units <= 0:
            return None
        price = Fraction(source.last_units, 10**source.instrument.price_decimals)
        return 1 / price if self.inverted else price


@cython.final
@cython.overflowcheck(True)  # a sum beyond 64 bits raises instead of wrapping
@cython.cclass
class Holding:
    """What the account holds of one instrument over all strategies, what is on its way, and the latest price.

    pending_buy, pending_sell: open quantity of working orders, units; *_worth: the same at the prices (and rates) those
    orders were checked at, account currency. last: the latest price in units as a float, nan before the first;
    last_units: the same exactly, 0 before the first; last_clock: when the engine learned of it, ns UTC. ledger: the cash it settles in; rate: of that currency, None where it
    is the account's own. suspended: no order but one that reduces what is held may be sent. split_ts: when it was split last, 0 for never. margin_initial, margin_maintenance: of its exposure, fractions.
    """

    instrument: Instrument
    valuation: Valuation
    ledger: Ledger
    rate: Rate | None
    index: cython.int
    units: cython.longlong
    last_units: cython.longlong
    last_clock: cython.longlong
    pending_buy: cython.longlong
    pending_sell: cython.longlong
    pending_buy_worth: cython.double
    pending_sell_worth: cython.double
    last: cython.double
    margin_initial: cython.double
    margin_maintenance: cython.double
    suspended: cython.bint
    split_ts: cython.longlong

    def __init__(self, index: int, valuation: Valuation, ledger: Ledger, leverage_max: float) -> None:
        """leverage_max: of the account; an instrument without margin rates of its own ties up 1 / leverage_max, half to keep."""
        self.index = index
        self.instrument = valuation.instrument
        self.valuation = valuation
        self.ledger = ledger
        self.rate = None
        self.margin_initial = float(self.instrument.margin_initial) or 1.0 / leverage_max
        self.margin_maintenance = float(self.instrument.margin_maintenance) or self.margin_initial / 2.0
        self.units = 0
        self.pending_buy = 0
        self.pending_sell = 0
        self.pending_buy_worth = 0.0
        self.pending_sell_worth = 0.0
        self.suspended = False
        self.split_ts = 0
        self.last_units = 0
        self.last_clock = 0
        self.last = float("nan")

    def set_last(self, price: cython.longlong) -> cython.int:
        """The latest price, units."""
        self.last_units = price
        self.last = cython.cast(cython.double, price)
        return 0

    def show(self, price: cython.longlong, clock: cython.longlong) -> cython.int:
        """The latest price, units, and when it became known, ns UTC."""
        self.last_clock = clock
        return self.set_last(price)

    def add_units(self, change: cython.longlong) -> cython.int:
        """Change what is held."""
        self.units += change
        return 0

    def add_pending(self, side: cython.int, qty: cython.longlong, worth: cython.double) -> cython.int:
        """Change what working orders may still fill, and its worth. Raises: InvariantError: it would fall below 0."""
        if side > 0:
            self.pending_buy += qty
            # With the last order gone the worth is 0, whatever the float sums left over.
            self.pending_buy_worth = max(0.0, self.pending_buy_worth + worth) if self.pending_buy else 0.0
        else:
            self.pending_sell += qty
            self.pending_sell_worth = max(0.0, self.pending_sell_worth + worth) if self.pending_sell else 0.0
        if self.pending_buy < 0 or self.pending_sell < 0:
            raise InvariantError(f"{self.instrument.id}: working quantity fell below 0")
        return 0

    def worth_at(self, price: float, units: float) -> float:
        """Signed market value at a price in units, settlement currency."""
        return self.valuation.mark(price, units)

    def reserve_as(self, side: cython.int, qty: cython.longlong, worth: cython.double) -> cython.int:
        """Set what working orders of one side may still fill, and its worth, as they were before something was tried out."""
        if side > 0:
            self.pending_buy = qty
            self.pending_buy_worth = worth
        else:
            self.pending_sell = qty
            self.pending_sell_worth = worth
        return 0

    def exposure(self) -> cython.double:
        """Signed market value, account currency, above 0 for a long; 0.0 while flat."""
        if self.units == 0:
            return 0.0
        value: cython.double = self.valuation.mark(self.last, cython.cast(cython.double, self.units))
        if self.rate is not None:
            value *= self.rate.value()
        return -value if self.valuation.inverse else value

    def in_account(self, amount: cython.double) -> cython.double:
        """Settlement currency at the last rate into the account's; nan while no rate is known."""
        return amount if self.rate is None else amount * self.rate.value()

    def opening_units(self, side: cython.int, qty: cython.longlong) -> cython.longlong:
        """The part of an order that would open exposure beyond what is held, once the working orders have filled."""
        towards: cython.longlong = self.units if side > 0 else -self.units
        opening: cython.longlong = qty
        if towards < 0:
            working: cython.longlong = self.pending_buy if side > 0 else self.pending_sell
            closing: cython.longlong = -towards - working
            if closing > 0:
                opening = qty - closing if qty > closing else 0
        return opening

    def exposure_max(self, side: cython.int, qty: cython.longlong, worth: cython.double) -> cython.double:
        """The largest gross exposure, account currency, that may come of what is held and whichever working orders fill.

        Args: side, qty, worth: one order more, as if it worked already; qty 0 for none.
        """
        held: cython.double = self.exposure()
        if held < 0.0:
            held = -held
        buys: cython.longlong = self.pending_buy + (qty if side > 0 else 0)
        sells: cython.longlong = self.pending_sell + (qty if side < 0 else 0)
        bought: cython.double = self.pending_buy_worth + (worth if side > 0 else 0.0)
        sold: cython.double = self.pending_sell_worth + (worth if side < 0 else 0.0)
        most: cython.double = held
        # Orders of one side: the part beyond what they close adds exposure, at the orders' own average price.
        after: cython.double
        if self.units >= 0:
            after = held + bought
            if after > most:
                most = after
            if sells > self.units:
                after = sold * (cython.cast(cython.double, sells - self.units) / sells)
                if after > most:
                    most = after
        else:
            after = held + sold
            if after > most:
                most = after
            if buys > -self.units:
                after = bought * (cython.cast(cython.double, buys + self.units) / buys)
                if after > most:
                    most = after
        return most


@cython.final
@cython.overflowcheck(True)  # a sum beyond 64 bits raises instead of wrapping
@cython.cclass
class Position:
    """What a strategy holds. Truthy while open; positive units are long.

    basis: worth of what is open at the prices paid, ledger units: the average price is the pair (basis, units), never a
    rounded quotient, and the remainder of a partial close stays in it. realised: closed profit before fees and
    dividends, last_profit: of the last fill; fees paid; dividends, funding and borrow received less paid; each in ledger units of the settlement currency.
    slippage, spread_cost: what its fills lost against their reference prices and half spreads, the same currency, inside
    realised or the basis already.
    """

    instrument: Instrument
    strategy: str
    holding: Holding
    strategy_index: cython.int
    units: cython.longlong
    fills: cython.longlong
    basis: Money | Fraction
    realised: Money
    last_profit: Money
    fees: Money
    dividends: Money
    funding: Money
    borrow: Money
    slippage: cython.double
    spread_cost: cython.double
    valuation: Valuation
    scale: cython.double
    qty_scale: cython.double
    money_scale: cython.double
    basis_float: cython.double

    def __init__(self, strategy: str, strategy_index: int, holding: Holding) -> None:
        valuation = holding.valuation
        self.holding = holding
        self.instrument = valuation.instrument
        self.strategy = strategy
        self.strategy_index = strategy_index
        self.valuation = valuation
        self.units = 0
        self.fills = 0
        self.basis = 0
        self.realised = 0
        self.last_profit = 0
        self.fees = 0
        self.dividends = 0
        self.funding = 0
        self.borrow = 0
        self.slippage = 0.0
        self.spread_cost = 0.0
        self.scale = 10.0**self.instrument.price_decimals
        self.qty_scale = 10.0**self.instrument.qty_decimals
        self.money_scale = 10.0**valuation.ledger_decimals
        self.basis_float = 0.0

    def __bool__(self) -> bool:
        return self.units != 0

    @property
    def qty(self) -> float:
        """Signed quantity, base units."""
        return self.units / self.qty_scale

    @property
    def is_long(self) -> bool:
        """Holding a positive quantity."""
        return self.units > 0

    @property
    def is_short(self) -> bool:
        """Holding a negative quantity."""
        return self.units < 0

    @property
    def average_price(self) -> float:
        """Volume-weighted entry price, quote currency; nan when flat."""
        if self.units == 0:
            return float("nan")
        if self.valuation.inverse:
            return float(
                Fraction(self.valuation.factor * self.units, -self.basis)
                / Fraction(10) ** self.instrument.price_decimals
            )
        return float(Fraction(self.basis) / (self.units * Fraction(self.valuation.factor))) / self.scale

    @property
    def value(self) -> float:
        """Signed market value at the last price, settlement currency, above 0 for a long; 0.0 when flat."""
        if self.units == 0:
            return 0.0
        return -self.worth_now() if self.valuation.inverse else self.worth_now()

    @property
    def unrealised(self) -> float:
        """Open profit at the last price, before fees, settlement currency."""
        return 0.0 if self.units == 0 else self.worth_now() - self.basis_float

    @property
    def realised_pnl(self) -> Decimal:
        """Closed profit before fees, settlement currency, exact."""
        return decimal_from_fixed(self.realised, self.valuation.ledger_decimals)

    @property
    def fees_paid(self) -> Decimal:
        """Fees of its fills, settlement currency, exact."""
        return decimal_from_fixed(self.fees, self.valuation.ledger_decimals)

    @property
    def dividends_received(self) -> Decimal:
        """Dividends received less those paid while short, settlement currency, exact."""
        return decimal_from_fixed(self.dividends, self.valuation.ledger_decimals)

    @property
    def funding_received(self) -> Decimal:
        """Funding received less paid, settlement currency, exact."""
        return decimal_from_fixed(self.funding, self.valuation.ledger_decimals)

    @property
    def borrow_received(self) -> Decimal:
        """What borrowing the shares cost, below 0, settlement currency, exact."""
        return decimal_from_fixed(self.borrow, self.valuation.ledger_decimals)

    def __repr__(self) -> str:
        return f"Position({self.instrument.symbol} {self.instrument.qty_text(self.units)} at {self.average_price})"

    def apply(self, change: cython.longlong, price: cython.longlong, worth: Any) -> Money:
        """Book a fill and return the profit it realised, ledger units. change: bought above 0, units; worth: of it at the price.

        An inverse contract's profit is rounded down once, here; every other settlement is whole by construction.
        """
        held: cython.longlong = self.units
        profit: cython.py_int = 0
        self.fills += 1
        if held == 0 or (held > 0) == (change > 0):
            self.basis = self.basis + worth
            self.units = held + change
        elif -held <= change <= held or held <= change <= -held:
            # What leaves the basis is rounded towards the basis: its remainder stays, so that profit is conserved.
            closed = self._part_of_basis(change, held)
            self.basis = self.basis - closed
            self.units = held + change
            profit = self._whole(-worth - closed)
        else:
            flat = self.valuation.worth(price, -held)
            profit = self._whole(-flat - self.basis)
            self.basis = worth - flat
            self.units = held + change
        self.realised = self.realised + profit
        self.last_profit = profit
        self.basis_float = float(self.basis) / self.money_scale
        return profit

    def _part_of_basis(self, change: cython.longlong, held: cython.longlong) -> Money | Fraction:
        wide: cython.py_int = -change
        # isinstance(..., Fraction) asks an abstract class, which costs as much as the rest of a fill.
        if type(self.basis) is not int:
            return Fraction(self.basis) * wide / held
        if -change == held:
            return self.basis
        share: Money = self.basis * wide // held
        return share

    def _whole(self, profit: Money | Fraction) -> Money:
        if type(profit) is int:
            return profit
        return profit.numerator // profit.denominator

    def add_fee(self, fee: Money) -> cython.int:
        """What a fill cost, ledger units."""
        self.fees = self.fees + fee
        return 0

    def add_dividend(self, amount: Money) -> cython.int:
        """A dividend received (or, short, paid), ledger units."""
        self.dividends = self.dividends + amount
        return 0

    def add_costs(self, slippage: cython.double, spread_cost: cython.double) -> cython.int:
        """What a fill lost against its reference price and half the spread, settlement currency; nothing is posted."""
        self.slippage += slippage
        self.spread_cost += spread_cost
        return 0

    def charge_for(self, price: Money | Fraction, rate: Fraction) -> Money:
        """`rate` of the market value at a price (units), ledger units, as a holder of the other side would be paid.

        Above 0 where a long pays a positive rate; rounded up, against us. Nothing is posted.
        """
        worth = (
            Fraction(self.valuation.factor * self.units) / Fraction(price)
            if self.valuation.inverse
            else Fraction(self.valuation.factor * self.units) * price
        )
        exact = worth * rate
        return -((-exact.numerator) // exact.denominator)

    def split(self, new_shares: cython.longlong, old_shares: cython.longlong) -> Money:
        """Restate the position for a split: units x new / old. Returns what the fractional rest pays in cash, ledger units.

        The rest is closed at the holding's last price before the split: its worth, or of a contract, whose price was
        never paid, its profit. The basis stays, less what the rest takes with it, so a holder neither gains nor loses.
        """
        wide: cython.py_int = self.units  # as a Python int: the product may pass 64 bits
        scaled = wide * new_shares
        magnitude = abs(scaled) // old_shares
        rest = Fraction(abs(scaled), old_shares) - magnitude
        self.units = magnitude if wide > 0 else -magnitude
        if rest == 0:
            return 0
        sign = 1 if wide > 0 else -1
        last: cython.py_int = self.holding.last_units
        price_after = Fraction(last * old_shares, new_shares)
        cash = sign * Fraction(self.valuation.factor) * rest * price_after
        paid = cash.numerator // cash.denominator
        cost = Fraction(self.basis) * rest / (magnitude + rest)
        released = cost.numerator // cost.denominator
        self.basis = self.basis - released
        self.basis_float = float(self.basis) / self.money_scale
        profit = paid - released
        self.realised = self.realised + profit
        return paid if self.valuation.cash_settled else profit

    def worth_now(self) -> cython.double:
        return self.valuation.mark(self.holding.last, cython.cast(cython.double, self.units))

    def equity_part(self) -> cython.double:
        """What the position adds to cash in the account's equity, account currency."""
        value: cython.double = self.worth_now()
        if not self.valuation.cash_settled:
            value -= self.basis_float
        return value if self.holding.rate is None else value * self.holding.rate.value()
