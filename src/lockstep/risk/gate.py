"""The risk gate: small checks in sequence, the first that fails refuses. It answers with a rule's number, not an object.

One gate is for one strategy's orders in one instrument. Every limit that applies there was resolved into C fields when it
was made; a check whose limit is not set costs one comparison. What several gates share is their `Desk`.
"""

from collections.abc import Sequence

import cython

if cython.compiled:
    from cython.cimports.lockstep.orders.order import Order
    from cython.cimports.lockstep.portfolio.portfolio import Portfolio
    from cython.cimports.lockstep.portfolio.position import Holding, Position
    from cython.cimports.lockstep.risk.bounds import Bounds
    from cython.cimports.lockstep.risk.desk import Crew, Desk, part_of
    from cython.cimports.lockstep.risk.hours import Hours
    from cython.cimports.lockstep.risk.sequence import Reducers, Repeats
else:
    from lockstep.orders.order import Order
    from lockstep.portfolio.portfolio import Portfolio
    from lockstep.portfolio.position import Holding, Position
    from lockstep.risk.bounds import Bounds
    from lockstep.risk.desk import Crew, Desk, part_of
    from lockstep.risk.hours import Hours
    from lockstep.risk.sequence import Reducers, Repeats
from lockstep.model.enums import OrderFlag, OrderType, Reason
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import NANOS_PER_SECOND, UNITS_MAX
from lockstep.risk.limits import Refused, RiskLimits

WARN_FROM = 0.9
"""From this part of a limit on, reaching it is recorded as a warning."""
_WARN = cython.declare(cython.double, WARN_FROM)
_NONE = cython.declare(cython.longlong, 2**62)  # no limit
_NAN = cython.declare(cython.double, float("nan"))
_FREE = cython.declare(cython.double, float("inf"))
_ORDER_QTY = cython.declare(cython.int, int(Reason.ORDER_QTY))
_POSITION = cython.declare(cython.int, int(Reason.POSITION))
_BUYING_POWER = cython.declare(cython.int, int(Reason.BUYING_POWER))
_NO_REFERENCE_PRICE = cython.declare(cython.int, int(Reason.NO_REFERENCE_PRICE))
_OUTSIDE_HOURS = cython.declare(cython.int, int(Reason.OUTSIDE_HOURS))
_PRICE_BAND = cython.declare(cython.int, int(Reason.PRICE_BAND))
_KILL_SWITCH = cython.declare(cython.int, int(Reason.KILL_SWITCH))
_ORDER_NOTIONAL = cython.declare(cython.int, int(Reason.ORDER_NOTIONAL))
_POSITION_NOTIONAL = cython.declare(cython.int, int(Reason.POSITION_NOTIONAL))
_STRATEGY_POSITION = cython.declare(cython.int, int(Reason.STRATEGY_POSITION))
_OPEN_ORDERS = cython.declare(cython.int, int(Reason.OPEN_ORDERS))
_STRATEGY_OPEN_ORDERS = cython.declare(cython.int, int(Reason.STRATEGY_OPEN_ORDERS))
_ACCOUNT_OPEN_ORDERS = cython.declare(cython.int, int(Reason.ACCOUNT_OPEN_ORDERS))
_POSITIONS = cython.declare(cython.int, int(Reason.POSITIONS))
_GROSS_EXPOSURE = cython.declare(cython.int, int(Reason.GROSS_EXPOSURE))
_NET_EXPOSURE = cython.declare(cython.int, int(Reason.NET_EXPOSURE))
_LEVERAGE = cython.declare(cython.int, int(Reason.LEVERAGE))
_SELF_TRADE = cython.declare(cython.int, int(Reason.SELF_TRADE))
_STALE_PRICE = cython.declare(cython.int, int(Reason.STALE_PRICE))
_DUPLICATE = cython.declare(cython.int, int(Reason.DUPLICATE))
_THROTTLE = cython.declare(cython.int, int(Reason.THROTTLE))
_STRATEGY_THROTTLE = cython.declare(cython.int, int(Reason.STRATEGY_THROTTLE))
_ACCOUNT_THROTTLE = cython.declare(cython.int, int(Reason.ACCOUNT_THROTTLE))
_CANCEL_THROTTLE = cython.declare(cython.int, int(Reason.CANCEL_THROTTLE))
_DAILY_LOSS = cython.declare(cython.int, int(Reason.DAILY_LOSS))
_DRAWDOWN = cython.declare(cython.int, int(Reason.DRAWDOWN))
_MARKET = cython.declare(cython.int, int(OrderType.MARKET))
_REDUCE_ONLY = cython.declare(cython.int, int(OrderFlag.REDUCE_ONLY))
_SECONDS = cython.declare(cython.double, 1.0 / NANOS_PER_SECOND)


@cython.final
@cython.overflowcheck(True)  # a sum beyond 64 bits raises instead of wrapping
@cython.cclass
class Gate:
    """The checks of one strategy in one instrument. After a refusal, limit and actual say by how much, in the rule's unit.

    checked, refused, refusals: orders seen, refused, and refused by rule (cancels too). near, warned: by rule, the largest part of its
    limit that an approved order came to, and whether the last one was in the range of warnings. reducers: working
    reduce_only orders. equity, exposure: for the verdict being found.
    """

    limit: cython.double
    actual: cython.double
    equity: cython.double
    exposure: cython.double
    checked: cython.longlong
    refused: cython.longlong
    refusals: dict[str, int]
    bounds: Bounds
    strategy: str
    desk: Desk
    there: Crew
    ours: Crew
    position: Position | None
    reducers: Reducers
    repeats: Repeats
    hours: Hours
    near: list[float]
    warned: list[bool]

    def __init__(
        self,
        instrument: Instrument,
        limits: RiskLimits,
        desk: Desk | None = None,
        position: Position | None = None,
        strategy: str = "",
    ) -> None:
        """desk: shared with the account's other gates, else its own. position: of the strategy, which it names."""
        if not cython.compiled:
            self.near = [0.0] * 64
            self.warned = [False] * 64
        there, own = limits.of_symbol(instrument.symbol), limits.of_strategy(strategy)
        self.desk = Desk() if desk is None else desk
        self.desk.take(limits)
        self.bounds = Bounds(instrument, limits, strategy)
        self.strategy = strategy
        self.there = self.desk.crew_of(0 if position is None else position.holding.index, there.orders_per_second)
        self.ours = self.desk.crew_named(limits.strategy_key(strategy), own.orders_per_second)
        self.position = position
        self.reducers = Reducers()
        self.repeats = Repeats()
        self.hours = Hours()
        self.limit = 0.0
        self.actual = 0.0
        self.equity = 0.0
        self.exposure = 0.0
        self.checked = 0
        self.refused = 0
        self.refusals = {}

    def relimit(self, instrument: Instrument, limits: RiskLimits) -> None:
        """Other limits from here on; what was counted stays. The desk must have begun the change; working orders are
        enlisted again after it.
        """
        there, own = limits.of_symbol(instrument.symbol), limits.of_strategy(self.strategy)
        self.desk.take(limits)
        self.there.throttle.tighten(there.orders_per_second)
        self.ours = self.desk.crew_named(limits.strategy_key(self.strategy), own.orders_per_second)
        self.bounds = Bounds(instrument, limits, self.strategy)
        self.reducers = Reducers()
        if self.bounds.duplicate_ns == 0:
            self.repeats.forget()  # without a window no times are kept: none may count later

    def keep_hours(self, bounds: Sequence[tuple[int, int]]) -> None:
        """When the venue is open: (opens, closes) in order, ns UTC; looked at where the limits say session_hours."""
        self.hours = Hours(bounds)

    # ---- what the engine calls

    def decide(
        self,
        portfolio: Portfolio,
        holding: Holding,
        order: Order,
        worth: cython.double,
        clock: cython.longlong,
        working: cython.longlong,
    ) -> cython.int:
        """Every check, in sequence: 0 when approved, else the Reason's number. An approved order must then be `sent`.

        Args: worth: as of `check`. clock: the engine's, ns UTC. working: orders of the account that are not done, this
            one counted.
        """
        if self.desk.heard is not None:
            self.desk.heard.append(order.order_id)
        return self._decide(
            portfolio, holding, order, order.qty_units, order.limit_units, order.stop_units, worth, clock, working, False
        )  # fmt: skip

    def decide_replace(
        self,
        portfolio: Portfolio,
        holding: Holding,
        order: Order,
        qty: cython.longlong,
        limit_price: cython.longlong,
        stop_price: cython.longlong,
        worth: cython.double,
        clock: cython.longlong,
        working: cython.longlong,
    ) -> cython.int:
        """Every check of what a working order would be after a replacement: 0, or the Reason's number.

        The present order's reservation is taken out meanwhile, for the new one stands in its place. An approved replacement
        must then be `resent`: it is a message, and counts in the throttles.

        Args: qty: what would be left to fill, units; worth: its worth; limit_price, stop_price: new, price units, 0 for none.
        """
        buys: cython.bint = order.side_sign > 0
        units: cython.longlong = holding.pending_buy if buys else holding.pending_sell
        reserved: cython.double = holding.pending_buy_worth if buys else holding.pending_sell_worth
        if not order.unreserved:  # else the other leg of its bracket reserves for both
            holding.add_pending(order.side_sign, -order.open_units(), -order.reserve)
        try:
            return self._decide(
                portfolio, holding, order, qty, limit_price, stop_price, worth, clock, working - 1, True
            )
        finally:  # put back as it was to the last bit, not by adding what was taken
            holding.reserve_as(order.side_sign, units, reserved)

    def _decide(
        self, portfolio: Portfolio, holding: Holding, order: Order, qty: cython.longlong, limit_price: cython.longlong,
        stop_price: cython.longlong, worth: cython.double, clock: cython.longlong, working: cython.longlong,
        again: cython.bint,
    ) -> cython.int:  # fmt: skip
        side: cython.int = order.side_sign
        if not self.bounds.more and not self.desk.halted and not order.flag_bits & _REDUCE_ONLY:
            return self.check(portfolio, holding, side, qty, worth)
        closes: cython.bint = order.flag_bits & _REDUCE_ONLY and self._closes(holding, order, qty)
        opening: cython.longlong = 0 if closes else holding.opening_units(side, qty)
        if self.desk.halted and opening > 0:
            self.checked += 1
            return self._refuse(_KILL_SWITCH, 0.0, cython.cast(cython.double, opening) / self.bounds.qty_scale)
        rule: cython.int = self._first(portfolio, holding, side, qty, worth, closes)
        stays: cython.bint = limit_price == order.limit_units and stop_price == order.stop_units
        if opening == 0 and stays and order.parent_id > 0:
            return rule  # a bracket's leg bounds a loss: what may pass, a throttle or an old price, never keeps it away
        if rule == 0:
            rule = self._price(holding, limit_price, clock)
        if rule == 0 and self.bounds.sizes:
            rule = self._size(portfolio, holding, side, qty, worth, closes)
        if rule == 0 and self.bounds.walks:
            rule = self._beside(holding, order, qty, limit_price, closes)
        if rule == 0 and self.bounds.account and opening > 0:
            rule = self._whole(portfolio, holding, side, qty, worth)
            if rule == 0:
                rule = self._losses(portfolio, clock)
        if rule == 0 and self.bounds.paces:
            rule = self._pace(order, qty, limit_price, stop_price, clock, working, again)
        return rule

    def check(
        self, portfolio: Portfolio, holding: Holding, side: cython.int, qty: cython.longlong, worth: cython.double
    ) -> cython.int:
        """Order quantity, position, reference price and buying power: 0 when approved, else the Reason's number.

        Args: qty: units. worth: currency worth of the order at the price it would trade at; nan when there is no
            reference price, which refuses: a missing price is never taken for a harmless one.
        """
        return self._first(portfolio, holding, side, qty, worth, False)

    def _first(
        self,
        portfolio: Portfolio,
        holding: Holding,
        side: cython.int,
        qty: cython.longlong,
        worth: cython.double,
        closes: cython.bint,
    ) -> cython.int:
        """As `check`. closes: the order can only close, so that position and buying power have no say."""
        self.checked += 1
        self.equity = self.exposure = _NAN
        if qty > self.bounds.order_qty_max:
            return self._refuse(
                _ORDER_QTY, self.bounds.order_qty_max / self.bounds.qty_scale, qty / self.bounds.qty_scale
            )
        if self.desk.heard is not None and self.bounds.order_qty_max < UNITS_MAX:
            self.desk.heard.append(
                (_ORDER_QTY, self.bounds.order_qty_max / self.bounds.qty_scale, qty / self.bounds.qty_scale, True)
            )
        worst: cython.longlong
        if side > 0:
            worst = holding.units + holding.pending_buy + qty
        else:
            worst = -(holding.units - holding.pending_sell - qty)
        if worst > self.bounds.position_max and not closes:
            return self._refuse(
                _POSITION, self.bounds.position_max / self.bounds.qty_scale, worst / self.bounds.qty_scale
            )
        if not worth > 0.0:  # nan too
            return self._refuse(_NO_REFERENCE_PRICE, 0.0, 0.0)
        if self.desk.heard is not None:
            self.desk.heard.append((_NO_REFERENCE_PRICE, _NAN, holding.last / self.bounds.price_scale, True))
        if self.bounds.order_qty_max < UNITS_MAX:
            self._within(_ORDER_QTY, self.bounds.order_qty_max / self.bounds.qty_scale, qty / self.bounds.qty_scale)
        if self.bounds.position_max < UNITS_MAX and not closes:
            self._within(_POSITION, self.bounds.position_max / self.bounds.qty_scale, worst / self.bounds.qty_scale)
        if self.bounds.buying_power and not closes:
            # What the order adds to the worst case of the instrument: 0 while it only closes, so closing is never refused.
            needed: cython.double = holding.exposure_max(side, qty, worth) - holding.exposure_max(0, 0, 0.0)
            if not needed <= 0.0:
                free: cython.double = self._equity(portfolio) * portfolio.leverage_max - self._exposure(portfolio)
                if not needed <= free:  # nan too: a currency without a rate
                    return self._refuse(_BUYING_POWER, free, needed)
                if self.desk.heard is not None:
                    self.desk.heard.append((_BUYING_POWER, free, needed, True))
                if needed > self.near[_BUYING_POWER] * free:  # no warning: a cash account is often spent whole
                    self.near[_BUYING_POWER] = needed / free
        return 0

    def sent(self, order: Order, clock: cython.longlong) -> cython.int:
        """An approved order went out: throttles count it, and the orders after it are checked against it."""
        self.enlist(order)
        self.resent(order, clock)
        if self.bounds.duplicate_ns > 0:
            self.repeats.add(clock, self.bounds.duplicate_ns)
        return 0

    def enlist(self, order: Order) -> cython.int:
        """An order works: later ones are checked beside it, where a limit asks for that."""
        if self.bounds.walks:
            self.there.orders.append(order)
        if self.bounds.own_orders_max < _FREE:
            self.ours.orders.append(order)
        if order.flag_bits & _REDUCE_ONLY:
            self.reducers.orders.append(order)
        return 0

    def resent(self, order: Order, clock: cython.longlong) -> cython.int:
        """An approved replacement went out: throttles count it."""
        self.there.throttle.add(clock)
        self.ours.throttle.add(clock)
        return self.desk.orders.add(clock)

    def filled(self, holding: Holding, side: cython.int) -> cython.int:
        """A fill was booked: one that brought the account or the strategy beyond its position limit fires the kill switch.

        No order that was approved can: the venue filled more than was asked for, or a split or a new limit came between.
        """
        towards: cython.longlong = holding.units * side
        if towards > self.bounds.position_max:
            self.desk.breach(
                _POSITION, self.bounds.position_max / self.bounds.qty_scale, towards / self.bounds.qty_scale
            )
        if self.position is not None:
            towards = self.position.units * side
            if towards > self.bounds.own_position_max:
                self.desk.breach(
                    _STRATEGY_POSITION,
                    self.bounds.own_position_max / self.bounds.qty_scale,
                    towards / self.bounds.qty_scale,
                )
        return 0

    def may_cancel(self, clock: cython.longlong) -> cython.bint:
        """Whether a cancel is within its own budget; one that is counts. While halted every cancel is."""
        if self.desk.cancels.limit < _NONE and not self.desk.halted:
            used: cython.longlong = self.desk.cancels.used(clock) + 1
            if not self._within(_CANCEL_THROTTLE, self.desk.cancels.limit, used):
                self.refused -= 1  # it was no order
                return False
            self.desk.cancels.add(clock)
        return True

    def _closes(self, holding: Holding, order: Order, qty: cython.longlong) -> cython.bint:
        """Whether a reduce_only order can do nothing but close, whatever else fills.

        It is no more than its strategy holds and the account does, and nothing works on its side but other reduce_only orders
        of the strategy: a stop and a target for the same position, of which the venue fills as much as there is to reduce.
        """
        side: cython.int = order.side_sign
        if self.position is None or qty > -self.position.units * side or qty > -holding.units * side:
            return False
        pending: cython.longlong = holding.pending_buy if side > 0 else holding.pending_sell
        return self.reducers.left(order) == pending

    def verdict(self, rule: int) -> Refused:
        """The last refusal as a fact."""
        return Refused(rule=Reason(rule).name.lower(), limit=self.limit, actual=self.actual)

    def nearest(self) -> dict[str, float]:
        """By rule, the largest part of its limit that an approved order came to; rules without a limit are absent."""
        return {Reason(rule).name.lower(): self.near[rule] for rule in range(64) if self.near[rule] > 0.0}

    # ---- the checks beyond, one by one: 0, or the rule that refuses

    def _price(self, holding: Holding, limit_price: cython.longlong, clock: cython.longlong) -> cython.int:
        """A reference price that is fresh, a venue that is open, and a limit price within the band."""
        if self.bounds.price_age_max < _NONE:
            age: cython.longlong = clock - holding.last_clock
            if age > self.bounds.price_age_max:
                return self._refuse(_STALE_PRICE, self.bounds.price_age_max * _SECONDS, age * _SECONDS)
            self._within(_STALE_PRICE, self.bounds.price_age_max * _SECONDS, age * _SECONDS)
        if self.bounds.session_hours and not self.hours.are_open(clock):
            return self._refuse(_OUTSIDE_HOURS, 0.0, 0.0)
        if self.bounds.session_hours and self.desk.heard is not None:
            self.desk.heard.append((_OUTSIDE_HOURS, _NAN, _NAN, True))
        if self.bounds.price_band < _FREE and limit_price > 0:
            if not holding.last > 0.0:
                return self._refuse(_NO_REFERENCE_PRICE, 0.0, 0.0)
            away: cython.double = abs(limit_price - holding.last) / holding.last
            if self.bounds.beyond_band(holding, limit_price):
                return self._refuse(_PRICE_BAND, self.bounds.price_band, away)
            # Exactly at the band the quotient may lie a last bit above it.
            self._within(_PRICE_BAND, self.bounds.price_band, min(away, self.bounds.price_band))
        return 0

    def _size(
        self, portfolio: Portfolio, holding: Holding, side: cython.int, qty: cython.longlong, worth: cython.double,
        closes: cython.bint,
    ) -> cython.int:  # fmt: skip
        """Worth of the order, and of the position if every working order filled, in currency and in parts of equity."""
        most: cython.double = self._least(portfolio, self.bounds.order_notional_max, self.bounds.order_fraction_max)
        if not self._within(_ORDER_NOTIONAL, most, worth):
            return int(_ORDER_NOTIONAL)
        if closes:
            return 0
        most = self._least(portfolio, self.bounds.position_notional_max, self.bounds.position_fraction_max)
        if most != _FREE:
            after: cython.double = holding.exposure_max(side, qty, worth)
            # An order that only closes makes the worst case no worse, however much is held.
            if not after <= holding.exposure_max(0, 0, 0.0) and not self._within(_POSITION_NOTIONAL, most, after):
                return int(_POSITION_NOTIONAL)
        return 0

    def _least(self, portfolio: Portfolio, money: cython.double, part: cython.double) -> cython.double:
        """The lower of a limit in currency and one in parts of equity: nan, within which nothing is, while that is unknown."""
        if part < _FREE:
            part *= self._equity(portfolio)
        return money if part >= money else part

    def _beside(
        self, holding: Holding, order: Order, qty: cython.longlong, limit_price: cython.longlong, closes: cython.bint
    ) -> cython.int:
        """The working orders of the instrument: how many, what of this strategy adds up, and whether this would meet one."""
        side: cython.int = order.side_sign
        # The best price of the other side: the lowest of our sells for a buy, the highest of our buys for a sell.
        best: cython.longlong = 0
        own: cython.longlong = qty
        count: cython.longlong = 1
        kept: cython.Py_ssize_t = 0
        k: cython.Py_ssize_t
        orders: list[Order] = self.there.orders
        other: Order
        for k in range(len(orders)):
            other = cython.cast(Order, orders[k])
            if other.is_done():
                continue
            if kept < k:
                orders[kept] = other
            kept += 1
            if other is order:  # what is to be replaced does not stand beside itself
                continue
            count += 1
            if other.side_sign == side:
                if other.strategy_index == order.strategy_index:
                    own += other.open_units()
            elif other.limit_units > 0 and (best == 0 or (best - other.limit_reach()) * side > 0):
                best = other.limit_reach()
        del orders[kept:]
        if not self._within(_OPEN_ORDERS, self.bounds.open_orders_max, count):
            return int(_OPEN_ORDERS)
        if self.bounds.own_position_max < UNITS_MAX and self.position is not None and not closes:
            own += self.position.units * side
            if not self._within(
                _STRATEGY_POSITION, self.bounds.own_position_max / self.bounds.qty_scale, own / self.bounds.qty_scale
            ):
                return int(_STRATEGY_POSITION)
        if self.bounds.self_trade and best > 0 and self._meets(holding, order, limit_price, best):
            price: cython.double = limit_price if limit_price > 0 else holding.last
            return self._refuse(_SELF_TRADE, best / self.bounds.price_scale, price / self.bounds.price_scale)
        if self.bounds.self_trade and self.desk.heard is not None:
            self.desk.heard.append((_SELF_TRADE, best / self.bounds.price_scale if best > 0 else _NAN, _NAN, True))
        return 0

    def _meets(
        self, holding: Holding, order: Order, limit_price: cython.longlong, resting: cython.longlong
    ) -> cython.bint:
        """Whether an order could trade with a resting one of ours. A stop is a market order only later: it is not seen.

        A market order is taken to reach as far as the price band; without one, any price.
        """
        if limit_price > 0:
            return (limit_price - resting) * order.side_sign >= 0
        if order.type_code != _MARKET:
            return False
        if not self.bounds.price_band < _FREE:
            return True
        return (resting - holding.last) * order.side_sign <= 0.0 or not self.bounds.beyond_band(holding, resting)

    def _whole(
        self, portfolio: Portfolio, holding: Holding, side: cython.int, qty: cython.longlong, worth: cython.double
    ) -> cython.int:
        """The account if every working order filled: instruments held, gross and net exposure, leverage."""
        if (
            self.bounds.positions_max < _FREE
            and holding.units == 0
            and holding.pending_buy == 0
            and holding.pending_sell == 0
        ):
            held: cython.longlong = 1
            other: Holding
            for entry in portfolio.holdings:
                other = cython.cast(Holding, entry)
                held += other.units != 0 or other.pending_buy != 0 or other.pending_sell != 0
            if not self._within(_POSITIONS, self.bounds.positions_max, held):
                return int(_POSITIONS)
        if self.bounds.gross_max < _FREE or self.bounds.leverage_max < _FREE:
            before: cython.double = holding.exposure_max(0, 0, 0.0)
            after: cython.double = holding.exposure_max(side, qty, worth)
            if not after <= before:
                total: cython.double = self._exposure(portfolio) - before + after
                if not self._within(_GROSS_EXPOSURE, self.bounds.gross_max, total):
                    return int(_GROSS_EXPOSURE)
                if self.bounds.leverage_max < _FREE:
                    equity: cython.double = self._equity(portfolio)
                    if not equity > 0.0:
                        return self._refuse(_LEVERAGE, self.bounds.leverage_max, _FREE)
                    if not self._within(_LEVERAGE, self.bounds.leverage_max, total / equity):
                        return int(_LEVERAGE)
        if self.bounds.net_max < _FREE and not self._within(
            _NET_EXPOSURE, self.bounds.net_max, portfolio.net_reach(side) + worth
        ):
            return int(_NET_EXPOSURE)
        return 0

    def _losses(self, portfolio: Portfolio, clock: cython.longlong) -> cython.int:
        """Loss of the UTC day, and drawdown from the highest mark, at the present prices."""
        if not (self.bounds.daily_loss_max < _FREE or self.bounds.drawdown_max < _FREE):
            return 0
        desk: Desk = self.desk
        desk.roll(clock)
        equity: cython.double = self._equity(portfolio)
        lost: cython.double = desk.day_open - equity
        # As a product: a quotient may fall a last bit beyond a limit that is met exactly.
        if self.bounds.daily_loss_max < _FREE:
            if not lost <= self.bounds.daily_loss_max * desk.day_open:
                return self._refuse(_DAILY_LOSS, self.bounds.daily_loss_max, part_of(lost, desk.day_open))
            self._within(_DAILY_LOSS, self.bounds.daily_loss_max * desk.day_open, lost)
        lost = desk.peak - equity
        if self.bounds.drawdown_max < _FREE:
            if not lost <= self.bounds.drawdown_max * desk.peak:
                return self._refuse(_DRAWDOWN, self.bounds.drawdown_max, part_of(lost, desk.peak))
            self._within(_DRAWDOWN, self.bounds.drawdown_max * desk.peak, lost)
        return 0

    def _pace(
        self, order: Order, qty: cython.longlong, limit_price: cython.longlong, stop_price: cython.longlong,
        clock: cython.longlong, working: cython.longlong, again: cython.bint,
    ) -> cython.int:  # fmt: skip
        """Working orders of account and strategy, the same order again, and the throttles of symbol, strategy and account."""
        if not again and not self._within(_ACCOUNT_OPEN_ORDERS, self.bounds.all_orders_max, working):
            return int(_ACCOUNT_OPEN_ORDERS)
        if not again and self.bounds.own_orders_max < _FREE:
            count: cython.longlong = len(self.ours.orders) + 1  # some may be done: looked at only where it matters
            if count > self.bounds.own_orders_max * _WARN:
                count = self.ours.working() + 1
            if not self._within(_STRATEGY_OPEN_ORDERS, self.bounds.own_orders_max, count):
                return int(_STRATEGY_OPEN_ORDERS)
        if self.bounds.duplicate_ns > 0:
            age: cython.longlong = self.repeats.age(order, qty, limit_price, stop_price, clock)
            if age < self.bounds.duplicate_ns:
                return self._refuse(_DUPLICATE, self.bounds.duplicate_ns * _SECONDS, age * _SECONDS)
            if self.desk.heard is not None:
                self.desk.heard.append((_DUPLICATE, self.bounds.duplicate_ns * _SECONDS, _NAN, True))
        if self.there.throttle.limit < _NONE and not self._within(
            _THROTTLE, self.there.throttle.limit, self.there.throttle.used(clock) + 1
        ):
            return int(_THROTTLE)
        if self.ours.throttle.limit < _NONE and not self._within(
            _STRATEGY_THROTTLE, self.ours.throttle.limit, self.ours.throttle.used(clock) + 1
        ):
            return int(_STRATEGY_THROTTLE)
        if self.desk.orders.limit < _NONE and not self._within(
            _ACCOUNT_THROTTLE, self.desk.orders.limit, self.desk.orders.used(clock) + 1
        ):
            return int(_ACCOUNT_THROTTLE)
        return 0

    # ---- what the checks are made of

    def _within(self, rule: cython.int, limit: cython.double, actual: cython.double) -> cython.bint:
        """Whether a limit holds. How near it came is kept; coming into the range of warnings is one."""
        if not actual <= limit:  # nan too: what cannot be reckoned is refused
            self._refuse(rule, limit, actual)
            return False
        if self.desk.heard is not None and limit < _FREE:
            self.desk.heard.append((rule, limit, actual, True))
        if actual > self.near[rule] * limit:
            self.near[rule] = actual / limit
        if actual >= _WARN * limit and actual > 0.0:
            if not self.warned[rule]:
                self.warned[rule] = True
                self.desk.warnings.append((rule, limit, actual))
        elif self.warned[rule]:
            self.warned[rule] = False
        return True

    def _refuse(self, rule: cython.int, limit: cython.double, actual: cython.double) -> cython.int:
        self.limit = limit
        self.actual = actual
        self.refused += 1
        if self.desk.heard is not None:
            self.desk.heard.append((rule, limit, actual, False))
        name = Reason(rule).name
        self.refusals[name] = self.refusals.get(name, 0) + 1
        return rule

    def _equity(self, portfolio: Portfolio) -> cython.double:
        """The account's equity, worked out once a verdict."""
        if self.equity != self.equity:
            self.equity = portfolio.equity()
        return self.equity

    def _exposure(self, portfolio: Portfolio) -> cython.double:
        """The largest exposure that may come of what is held and at work, worked out once a verdict."""
        if self.exposure != self.exposure:
            self.exposure = portfolio.exposure_max()
        return self.exposure
