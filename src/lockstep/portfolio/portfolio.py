"""The account: its cash, what it holds, and each strategy's positions. The sum over strategies is the account."""

from array import array
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.valuation import Valuation
    from cython.cimports.lockstep.portfolio.ledger import Ledger
    from cython.cimports.lockstep.portfolio.position import Holding, Position, Rate
else:
    from lockstep.model.valuation import Valuation
    from lockstep.portfolio.ledger import Ledger
    from lockstep.portfolio.position import Holding, Position, Rate
from lockstep.model.errors import DataError, RefuseError, did_you_mean
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import Money, Number, fixed_from_number
from lockstep.model.valuation import ledger_decimals_for
from lockstep.portfolio.currencies import NO_RATES, account_currency, rate_sources

RECENT_MARKS = 256
"""How many marks of equity are kept, for the rolling volatility. A power of two."""
_INFINITE = cython.declare(cython.double, float("inf"))
_RECENT = cython.declare(cython.longlong, RECENT_MARKS)


@cython.final
@cython.overflowcheck(True)  # a sum beyond 64 bits raises instead of wrapping
@cython.cclass
class Portfolio:
    """One account: cash in one ledger for each currency, counted in one of them.

    ledger: of the account's own currency; ledgers: all, that one first, at the same decimals; foreign: there are several; rates: of each, None for the
    first. leverage_max: gross exposure allowed per unit of equity; 1.0 is a cash account. marked_*: at the last mark;
    peak_equity: the highest of the marks; margin_call: equity was below the maintenance margin then; recent: the last
    RECENT_MARKS equities, a ring. Floats here are marks for risk and curves, account currency; the ledgers alone are money.
    """

    ledger: Ledger
    ledgers: list[Ledger]
    foreign: cython.bint
    rates: list[Rate | None]
    holdings: list[Holding]
    positions: list[Position]
    valuations: list[Valuation]
    leverage_max: cython.double
    marked_equity: cython.double
    marked_cash: cython.double
    marked_gross: cython.double
    marked_net: cython.double
    marked_margin: cython.double
    marked_maintenance: cython.double
    peak_equity: cython.double
    margin_call: cython.bint
    marks: cython.longlong
    recent: Any
    by_key: dict[tuple[int, int], Position]

    def __init__(
        self,
        instruments: Sequence[Instrument],
        cash: Number,
        leverage_max: float = 1.0,
        *,
        currency: str | None = None,
        rates: Mapping[str, Number] = NO_RATES,
    ) -> None:
        """cash: opening balance. currency: what the account counts in; by default the one everything settles in.

        rates: stated, by currency, of the account's for 1 of it; others are prices among the instruments.
        Raises: RefuseError: no instrument, no possible leverage, or a currency whose rate is not known.
        """
        if not instruments:
            raise RefuseError("an account needs at least one instrument to trade")
        if not 0.0 < leverage_max < float("inf"):
            raise RefuseError(f"leverage was {leverage_max}, must be above 0 and finite", hint="1 is a cash account")
        own = account_currency(instruments, currency)
        sources = rate_sources(instruments, own, rates)
        decimals = ledger_decimals_for(list(instruments))
        self.ledger = Ledger(own, decimals, cash)
        self.ledgers = [self.ledger, *(Ledger(source.currency, decimals, 0) for source in sources)]
        self.foreign = len(self.ledgers) > 1
        by_currency = {ledger.currency: ledger for ledger in self.ledgers}
        self.valuations = [Valuation(instrument, decimals) for instrument in instruments]
        self.holdings = [
            Holding(index, valuation, by_currency[valuation.instrument.currency], leverage_max)
            for index, valuation in enumerate(self.valuations)
        ]
        self.rates = [None]
        for source in sources:
            self._add_rate(source.currency, source.stated, source.place, source.inverted)
        self.positions = []
        self.by_key = {}
        self.leverage_max = leverage_max
        self.marked_equity = self.ledger.cash_float
        self.marked_cash = self.ledger.cash_float
        self.marked_gross = 0.0
        self.marked_net = 0.0
        self.marked_margin = 0.0
        self.marked_maintenance = 0.0
        self.peak_equity = self.ledger.cash_float
        self.margin_call = False
        self.marks = 0
        self.recent = memoryview(array("d", bytes(8 * RECENT_MARKS)))

    def _add_rate(self, currency: str, stated: Fraction | None, index: int, inverted: bool) -> None:
        rate: Rate = Rate(currency, stated, self.holdings[index] if index >= 0 else None, inverted)
        self.rates.append(rate)
        for entry in self.holdings:
            holding: Holding = cython.cast(Holding, entry)
            if holding.instrument.currency == currency:
                holding.rate = rate

    def add_position(self, strategy: str, strategy_index: int, instrument_index: int) -> Position:
        """The position of a strategy in an instrument, made on the first call."""
        key = (strategy_index, instrument_index)
        if key not in self.by_key:
            position = Position(strategy, strategy_index, self.holdings[instrument_index])
            self.by_key[key] = position
            self.positions.append(position)
        return self.by_key[key]

    def position(self, strategy_index: cython.int, instrument_index: cython.int) -> Position:
        """The position of a strategy in an instrument. Raises KeyError where the strategy does not trade it."""
        return self.by_key[(strategy_index, instrument_index)]

    def book_fill(
        self, position: Position, side: cython.int, price: cython.longlong, qty: cython.longlong, fee: Money
    ) -> cython.int:
        """Book a fill: the position, the account's holding and the ledger it settles in. fee: ledger units."""
        holding: Holding = position.holding
        signed: cython.longlong = qty if side > 0 else -qty
        worth = holding.valuation.worth(price, signed)
        profit = position.apply(signed, price, worth)
        position.add_fee(fee)
        holding.add_units(signed)
        if holding.valuation.cash_settled:
            holding.ledger.post_fill(-worth, fee, profit)  # type: ignore[arg-type]  # the ledger refuses a Fraction
        else:
            holding.ledger.post_fill(profit, fee, profit)
        return 0

    def undo_fill(
        self, position: Position, side: cython.int, price: cython.longlong, qty: cython.longlong, fee: Money
    ) -> cython.int:
        """Take a booked fill back: the opposite of it at its own price, and its fee.

        Position, cash and fees are then as if it had never been, and equity with them. How much of it is realised may
        differ from that: later fills were booked against the average price that it was part of.
        """
        self.book_fill(position, -side, price, qty, -fee)
        position.fills -= 2  # neither the fill nor its undoing is one
        return 0

    def split(self, instrument_index: cython.int, new_shares: object, old_shares: object) -> list[tuple[int, int, int]]:
        """Restate every position for a split; fractional rests are paid in cash at the last price.

        Returns: (strategy index, paid, the profit in it), ledger units, where a rest was paid.
        Raises: DataError: a ratio that is not of two whole numbers above 0, or an inverse contract.
        """
        # Declared as objects: compiled code turns an argument declared int into one, 2.9 into 2, before any check.
        holding: Holding = self.holdings[instrument_index]
        if not isinstance(new_shares, int) or not isinstance(old_shares, int) or new_shares <= 0 or old_shares <= 0:
            raise DataError(f"{holding.instrument.id}: no split is {new_shares!r} for {old_shares!r}")
        if holding.valuation.inverse:  # worth 1 / price: no number of them at the new price is worth as much
            raise DataError(f"{holding.instrument.id}: an inverse contract does not split")
        units: cython.longlong = 0
        rests = []
        for entry in self.positions:
            position: Position = cython.cast(Position, entry)
            if position.holding is holding:
                before = position.realised
                paid = position.split(new_shares, old_shares)
                profit = position.realised - before
                holding.ledger.post_in_lieu(paid, profit)
                units += position.units
                if paid or profit:
                    rests.append((position.strategy_index, paid, profit))
        holding.units = units
        if holding.last_units:
            # Only for marking until the next price; rounding it to a unit is harmless there.
            last: cython.py_int = holding.last_units
            holding.set_last(last * old_shares // new_shares)
        return rests

    def dividend(self, instrument_index: cython.int, amount: object, decimals: object) -> list[tuple[int, int]]:
        """Pay a dividend per 1.0 of quantity to every holder; shorts pay it. amount: units of 10**-decimals.

        Returns: (strategy index, ledger units) for each position it touched; rounded down, against us.
        Raises:  DataError: an amount that is not a whole number of units at or above 0.
        """
        holding: Holding = self.holdings[instrument_index]
        if not isinstance(amount, int) or not isinstance(decimals, int) or amount < 0 or decimals < 0:
            raise DataError(f"{holding.instrument.id}: no dividend is {amount!r} units of {decimals!r} decimals")
        paid = []
        for entry in self.positions:
            position: Position = cython.cast(Position, entry)
            if position.holding is holding and position.units:
                wide: cython.py_int = position.units
                money_decimals: cython.py_int = self.ledger.decimals  # a C exponent would make the power a float
                scaled = wide * amount * 10**money_decimals
                money = scaled // 10 ** (decimals + holding.instrument.qty_decimals)
                holding.ledger.post_dividend(money)
                position.add_dividend(money)
                paid.append((position.strategy_index, money))
        return paid

    def fund(self, instrument_index: cython.int, rate: Fraction, mark_units: cython.longlong) -> list[tuple[int, int]]:
        """Funding of a perpetual contract: longs pay shorts `rate` of the market value, or are paid where it is below 0.

        Args:    mark_units: the venue's mark price then, price units; 0 for the last price. Without any, nothing is held.
        Returns: (strategy index, ledger units received) for each position it touched; rounded against us, once each.
        """
        holding: Holding = self.holdings[instrument_index]
        price: cython.py_int = mark_units or holding.last_units
        paid = []
        for entry in self.positions:
            position: Position = cython.cast(Position, entry)
            if position.holding is holding and position.units:
                money = -position.charge_for(price, rate)
                holding.ledger.post_funding(money)
                position.funding = position.funding + money
                paid.append((position.strategy_index, money))
        return paid

    def borrow(self, instrument_index: cython.int, rate: Fraction) -> list[tuple[int, int]]:
        """A day's borrowing of the shares that are held short: `rate` of their market value at the last price.

        What one strategy is short and another long costs the one that is short: each is charged as if it stood alone.
        Returns: as `fund`; never above 0.
        """
        holding: Holding = self.holdings[instrument_index]
        paid = []
        for entry in self.positions:
            position: Position = cython.cast(Position, entry)
            if position.holding is holding and position.units < 0:
                money = -position.charge_for(holding.last_units, -rate)
                holding.ledger.post_borrow(money)
                position.borrow = position.borrow + money
                paid.append((position.strategy_index, money))
        return paid

    def transfer(self, currency: str, amount: Number) -> Decimal:
        """Pay money into the account, or take it out where amount is below 0. Returns: the cash of that currency, exact.

        Raises: RefuseError: a currency the account does not hold. ParseError: finer than a ledger unit.
        """
        for entry in self.ledgers:
            ledger: Ledger = cython.cast(Ledger, entry)
            if ledger.currency == currency:
                ledger.post_transfer(fixed_from_number(amount, ledger.decimals, "a transfer"))
                return ledger.balance
        known = [entry.currency for entry in self.ledgers]
        raise RefuseError(f"the account holds no {currency!r}", hint=did_you_mean(currency, known))

    def cash(self) -> cython.double:
        """Cash of every currency at the last rates; nan where there is some and its rate is not known."""
        total: cython.double = self.ledger.cash_float
        if not self.foreign:
            return total
        ledger: Ledger
        k: cython.Py_ssize_t
        for k in range(1, len(self.ledgers)):
            ledger = cython.cast(Ledger, self.ledgers[k])
            if ledger.cash_float != 0.0:
                total += ledger.cash_float * cython.cast(Rate, self.rates[k]).value()
        return total

    def equity(self) -> cython.double:
        """Cash plus what the positions add to it at the last prices and rates."""
        total: cython.double = self.cash()
        position: Position
        for entry in self.positions:
            position = cython.cast(Position, entry)
            if position.units != 0:
                total += position.equity_part()
        return total

    def gross(self) -> cython.double:
        """Sum of the absolute values of what is held."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            if holding.units != 0:
                value: cython.double = holding.exposure()
                total += value if value > 0.0 else -value
        return total

    def net(self) -> cython.double:
        """Sum of the signed values of what is held."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            if holding.units != 0:
                total += holding.exposure()
        return total

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def mark(self) -> cython.int:
        """Work out equity, exposures and margins at the last prices and rates, into the fields marked_*.

        Returns: 1 where a margin call began with this mark, -1 where one ended, else 0.
        """
        holding: Holding
        k: cython.Py_ssize_t
        gross: cython.double = 0.0
        net: cython.double = 0.0
        margin: cython.double = 0.0
        keep: cython.double = 0.0
        value: cython.double
        for k in range(len(self.holdings)):
            holding = cython.cast(Holding, self.holdings[k])
            if holding.units != 0:
                value = holding.exposure()
                net += value
                if value < 0.0:
                    value = -value
                gross += value
                margin += value * holding.margin_initial
                keep += value * holding.margin_maintenance
        self.marked_gross = gross
        self.marked_net = net
        self.marked_margin = margin
        self.marked_maintenance = keep
        equity: cython.double = self.cash() if self.foreign else self.ledger.cash_float
        self.marked_cash = equity
        position: Position
        for k in range(len(self.positions)):
            position = cython.cast(Position, self.positions[k])
            if position.units != 0:
                equity += position.equity_part()
        self.marked_equity = equity
        if equity > self.peak_equity:
            self.peak_equity = equity
        self.recent[self.marks & (_RECENT - 1)] = equity
        self.marks += 1
        # Not "equity < keep": an equity that is not a number is no reason to think that all is well.
        called: cython.bint = gross != 0.0 and not equity >= keep
        change: cython.int = cython.cast(cython.int, called) - cython.cast(cython.int, self.margin_call)
        self.margin_call = called
        return change

    def recent_equity(self, count: int) -> list[float]:
        """The equities of the last `count` marks there are, oldest first."""
        kept = min(self.marks, RECENT_MARKS, max(0, count))
        return [self.recent[(self.marks - kept + k) & (RECENT_MARKS - 1)] for k in range(kept)]

    def exposure_max(self) -> cython.double:
        """The largest gross exposure, currency, that may come of what is held and whichever working orders fill."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            if holding.units != 0 or holding.pending_buy != 0 or holding.pending_sell != 0:
                total += holding.exposure_max(0, 0, 0.0)
        return total

    def net_reach(self, side: cython.int) -> cython.double:
        """Net exposure towards a side, currency, if every working order of it filled and none of the other."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            total += holding.exposure() * side
            total += holding.pending_buy_worth if side > 0 else holding.pending_sell_worth
        return total

    def buying_power(self) -> cython.double:
        """Exposure that may still be opened: equity x leverage less what is held and may come of working orders.

        Below everything (-inf) where a balance or position has no rate: nothing may be opened then.
        """
        power: cython.double = self.equity() * self.leverage_max - self.exposure_max()
        return -_INFINITE if self.foreign and not power > -_INFINITE else power  # nan too

    def margin_max(self) -> cython.double:
        """The initial margin of what is held and whichever working orders fill: the worst case of `margin_used`."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            if holding.units != 0 or holding.pending_buy != 0 or holding.pending_sell != 0:
                total += holding.exposure_max(0, 0, 0.0) * holding.margin_initial
        return total

    @property
    def reserved(self) -> float:
        """Exposure that working orders may add to what is held; 0.0 when none works."""
        return self.exposure_max() - self.gross()

    @property
    def margin_used(self) -> float:
        """Equity that what is held ties up: each exposure times its initial margin rate."""
        return sum(abs(holding.exposure()) * holding.margin_initial for holding in self.holdings if holding.units)

    @property
    def margin_maintenance(self) -> float:
        """Equity that must stay while what is held is held: below it is a margin call."""
        return sum(abs(holding.exposure()) * holding.margin_maintenance for holding in self.holdings if holding.units)

    @property
    def leverage(self) -> float:
        """Gross exposure over equity; nan when equity is 0."""
        equity = self.equity()
        return self.gross() / equity if equity else float("nan")
