"""The account: its ledger, what it holds, and each strategy's positions. The sum over strategies is the account."""

from collections.abc import Sequence

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.valuation import Valuation
    from cython.cimports.lockstep.portfolio.ledger import Ledger
    from cython.cimports.lockstep.portfolio.position import Holding, Position
else:
    from lockstep.model.valuation import Valuation
    from lockstep.portfolio.ledger import Ledger
    from lockstep.portfolio.position import Holding, Position
from lockstep.model.errors import DataError, RefuseError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import Money, Number
from lockstep.model.valuation import ledger_decimals_for


@cython.final
@cython.overflowcheck(True)  # a sum beyond 64 bits raises instead of wrapping
@cython.cclass
class Portfolio:
    """One account in one currency.

    leverage_max: gross exposure allowed per unit of equity; 1.0 is a cash account. Floats here are marks for risk and
    curves; the ledger alone is the money.
    """

    ledger: Ledger
    holdings: list[Holding]
    positions: list[Position]
    valuations: list[Valuation]
    leverage_max: cython.double
    marked_equity: cython.double
    marked_gross: cython.double
    marked_net: cython.double
    by_key: dict[tuple[int, int], Position]

    def __init__(self, instruments: Sequence[Instrument], cash: Number, leverage_max: float = 1.0) -> None:
        """Raises: RefuseError: no instrument, instruments that settle in different currencies, or no possible leverage."""
        if not instruments:
            raise RefuseError("an account needs at least one instrument to trade")
        if not 0.0 < leverage_max < float("inf"):
            raise RefuseError(f"leverage was {leverage_max}, must be above 0 and finite", hint="1 is a cash account")
        currencies = sorted({instrument.currency for instrument in instruments})
        if len(currencies) != 1:
            raise RefuseError(
                f"one account holds one currency, these instruments settle in {len(currencies)}: {', '.join(currencies)}",
                hint="run them separately",
            )
        decimals = ledger_decimals_for(list(instruments))
        self.ledger = Ledger(currencies[0], decimals, cash)
        self.valuations = [Valuation(instrument, decimals) for instrument in instruments]
        self.holdings = [Holding(index, valuation) for index, valuation in enumerate(self.valuations)]
        self.positions = []
        self.by_key = {}
        self.leverage_max = leverage_max
        self.marked_equity = self.ledger.cash_float
        self.marked_gross = 0.0
        self.marked_net = 0.0

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
        """Book a fill: the position, the account's holding and the ledger. fee: ledger units."""
        holding: Holding = position.holding
        signed: cython.longlong = qty if side > 0 else -qty
        profit = position.apply(side, price, qty)
        position.add_fee(fee)
        holding.add_units(signed)
        if holding.valuation.cash_settled:
            worth = holding.valuation.worth(price, signed)
            self.ledger.post_fill(-worth, fee, profit)  # type: ignore[arg-type]  # the ledger refuses a Fraction
        else:
            self.ledger.post_fill(profit, fee, profit)
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

    def split(self, instrument_index: cython.int, new_shares: object, old_shares: object) -> None:
        """Restate every position for a split; fractional rests are paid in cash at the last price.

        Raises: DataError: a ratio that is not of two whole numbers above 0.
        """
        # Declared as objects: compiled code turns an argument declared int into one, 2.9 into 2, before any check.
        holding: Holding = self.holdings[instrument_index]
        if not isinstance(new_shares, int) or not isinstance(old_shares, int) or new_shares <= 0 or old_shares <= 0:
            raise DataError(f"{holding.instrument.id}: no split is {new_shares!r} for {old_shares!r}")
        units: cython.longlong = 0
        for entry in self.positions:
            position: Position = cython.cast(Position, entry)
            if position.holding is holding:
                before = position.realised
                paid = position.split(new_shares, old_shares)
                self.ledger.post_in_lieu(paid, position.realised - before)
                units += position.units
        holding.units = units
        if holding.last_units:
            # Only for marking until the next price; rounding it to a unit is harmless there.
            last: cython.py_int = holding.last_units
            holding.set_last(last * old_shares // new_shares)

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
                self.ledger.post_dividend(money)
                position.add_dividend(money)
                paid.append((position.strategy_index, money))
        return paid

    def equity(self) -> cython.double:
        """Cash plus what the positions add to it at the last prices, currency."""
        total: cython.double = self.ledger.cash_float
        position: Position
        for entry in self.positions:
            position = cython.cast(Position, entry)
            if position.units != 0:
                total += position.equity_part()
        return total

    def gross(self) -> cython.double:
        """Sum of the absolute values of what is held, currency."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            if holding.units != 0:
                value: cython.double = holding.exposure()
                total += value if value > 0.0 else -value
        return total

    def net(self) -> cython.double:
        """Sum of the signed values of what is held, currency."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            if holding.units != 0:
                total += holding.exposure()
        return total

    def mark(self) -> cython.int:
        """Work out equity, gross and net at the last prices, into marked_equity, marked_gross and marked_net."""
        holding: Holding
        k: cython.Py_ssize_t
        gross: cython.double = 0.0
        net: cython.double = 0.0
        value: cython.double
        for k in range(len(self.holdings)):
            holding = cython.cast(Holding, self.holdings[k])
            if holding.units != 0:
                value = holding.exposure()
                net += value
                gross += value if value > 0.0 else -value
        self.marked_gross = gross
        self.marked_net = net
        self.marked_equity = self.equity()
        return 0

    def exposure_max(self) -> cython.double:
        """The largest gross exposure, currency, that may come of what is held and whichever working orders fill."""
        total: cython.double = 0.0
        holding: Holding
        for entry in self.holdings:
            holding = cython.cast(Holding, entry)
            if holding.units != 0 or holding.pending_buy != 0 or holding.pending_sell != 0:
                total += holding.exposure_max(0, 0, 0.0)
        return total

    def buying_power(self) -> cython.double:
        """Exposure that may still be opened: equity x leverage less what is held and may come of working orders, currency."""
        return self.equity() * self.leverage_max - self.exposure_max()

    @property
    def reserved(self) -> float:
        """Exposure that working orders may add to what is held, currency; 0.0 when none works."""
        return self.exposure_max() - self.gross()

    @property
    def margin_used(self) -> float:
        """Equity that the present exposure ties up, currency."""
        return self.gross() / self.leverage_max

    @property
    def leverage(self) -> float:
        """Gross exposure over equity; nan when equity is 0."""
        equity = self.equity()
        return self.gross() / equity if equity else float("nan")
