"""The engine's state, and the way out of it: submit and cancel pass risk and orders here, and nowhere else."""

from collections.abc import Callable
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.rowlog import RowLog
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.engine.worth import order_worth
    from cython.cimports.lockstep.model.traffic import OrderTerms, VenueReport, make_request
    from cython.cimports.lockstep.orders.order import OpenOrders, Order
    from cython.cimports.lockstep.portfolio.portfolio import Portfolio
    from cython.cimports.lockstep.portfolio.position import Holding
    from cython.cimports.lockstep.risk.desk import Desk
else:
    from lockstep.engine.rowlog import RowLog
    from lockstep.engine.subscription import Subscription
    from lockstep.engine.worth import order_worth
    from lockstep.model.traffic import OrderTerms, VenueReport, make_request
    from lockstep.orders.order import OpenOrders, Order
    from lockstep.portfolio.portfolio import Portfolio
    from lockstep.portfolio.position import Holding
    from lockstep.risk.desk import Desk
from lockstep.engine.records import DECISION_WORDS, DISPLAY, FILL_WORDS, KILL, LIFT, REFUSAL, SUSPEND, WARNING
from lockstep.engine.rowlog import Sink
from lockstep.model.enums import Liquidity, OrderEventKind, OrderFlag, OrderState, OrderType, Reason, Side, Who
from lockstep.model.errors import StrategyError
from lockstep.model.messages import Fill, OrderEvent, Signal
from lockstep.model.numbers import Money, Nanos, Price, Qty
from lockstep.risk.limits import RiskAct

_SUBMIT = cython.declare(cython.int, int(OrderEventKind.SUBMIT))
_DENY = cython.declare(cython.int, int(OrderEventKind.DENY))
_CANCEL_REQUEST = cython.declare(cython.int, int(OrderEventKind.CANCEL_REQUEST))
_RESTATE = cython.declare(cython.int, int(OrderEventKind.RESTATE))
_MARKET = cython.declare(cython.int, int(OrderType.MARKET))
_TRAILING = cython.declare(cython.int, int(OrderType.TRAILING_STOP))
_SUSPENDED = cython.declare(cython.int, int(Reason.SUSPENDED))
_COOLDOWN = cython.declare(cython.int, int(Reason.COOLDOWN))

_CANCEL_THROTTLE = cython.declare(cython.int, int(Reason.CANCEL_THROTTLE))
_STRATEGY = cython.declare(cython.int, int(Who.STRATEGY))
_SYSTEM = cython.declare(cython.int, int(Who.SYSTEM))
_TRADER = cython.declare(cython.int, int(Who.TRADER))
_REDUCE_ONLY = cython.declare(cython.int, int(Reason.REDUCE_ONLY))
_REDUCE_ONLY_FLAG = cython.declare(cython.int, int(OrderFlag.REDUCE_ONLY))


@cython.final
@cython.cclass
class State:
    """What an engine is between two events: clock, orders, account, subscriptions, and what waits to go out.

    clock: ns UTC, when the present event is known to us; basis_ts: when it happened at the venue. in_history: events from
    before the run's start are being shown, and no order may be sent. outbox: requests for
    the venue. groups: number -> Group, of orders that depend on each other. later: order events to hand to strategies once
    the present handler has returned. desk: what the account's risk gates share, the kill switch among it.
    """

    clock: cython.longlong
    basis_ts: cython.longlong
    in_history: cython.bint
    orders: OpenOrders
    portfolio: Portfolio
    desk: Desk
    outbox: list[Any]
    later: list[tuple[int, OrderEvent]]
    subscriptions: list[Subscription]
    decisions: RowLog
    fills: RowLog
    last_signal_id: cython.longlong
    submitted: cython.longlong
    denied: cython.longlong
    signal_sink: Callable[[Signal], object]
    groups: dict[int, Any]

    def __init__(
        self,
        portfolio: Portfolio,
        decision_sinks: list[Sink],
        fill_sinks: list[Sink],
        signal_sink: Callable[[Signal], object],
    ) -> None:
        self.signal_sink = signal_sink
        self.groups = {}
        self.clock = 0
        self.basis_ts = 0
        self.in_history = False
        self.orders = OpenOrders()
        self.portfolio = portfolio
        self.desk = Desk(portfolio.equity())
        self.outbox = []
        self.later = []
        self.subscriptions = []
        self.decisions = RowLog(DECISION_WORDS, decision_sinks)
        self.fills = RowLog(FILL_WORDS, fill_sinks)
        self.last_signal_id = 0
        self.submitted = 0
        self.denied = 0

    def keep_signal(self, signal: Signal) -> None:
        """Hand a signal on to who keeps them."""
        self.signal_sink(signal)

    def next_signal_id(self) -> int:
        """The next signal's id: a counter of the run."""
        self.last_signal_id += 1
        return self.last_signal_id

    def submit(self, sub: Subscription, terms: OrderTerms, parent_id: cython.longlong = 0) -> Order:
        """An order on checked terms: risk, then the order table, then out. A refusal is a DENIED order.

        Raises: StrategyError: the run has not begun, the strategy is being shown its history.
        """
        if self.in_history:
            raise StrategyError(
                f"{sub.strategy}: no order in on_history: the run has not begun", hint="send orders from on_bar"
            )
        holding: Holding = sub.holding
        side: cython.int = terms.side
        qty: cython.longlong = terms.qty
        order: Order = self.orders.create(
            sub.strategy, sub.index, sub.seat_index, sub.instrument, sub.instrument_index, terms, self.clock
        )
        order.parent_id = parent_id
        if terms.display:
            self.log_display(order)
        worth: cython.double = order_worth(holding, side, qty, terms.limit_price, terms.stop_price)
        rule: cython.int = self._own_rules(sub, terms)
        if rule:
            self._deny(sub, order, rule)
            return order
        rule = self._verdict(sub, order, worth)
        if len(self.desk.warnings) > 0:
            self.log_warnings(sub, order.order_id)
        if rule:
            order.refusal = sub.gate.verdict(rule)
            self._deny(sub, order, rule)
            self.log_refusal(sub, order, rule)
            self.desk.refuse()
            if self.desk.due:
                self.watch()
            return order
        self.orders.apply(order, _SUBMIT)
        sub.gate.sent(order, self.clock)
        self.submitted += 1
        if worth > 0.0:  # nan where no price is known and no limit asks for one
            order.reserve = worth
        holding.add_pending(side, qty, order.reserve)
        if terms.order_type == _MARKET:
            sub.working_market += qty * side
        self.log_order(_SUBMIT, order, terms.expire_ts, qty, terms.limit_price, _stop_or_trail(order), terms.signal_id)
        self.outbox.append(
            make_request(
                _SUBMIT, sub.seat_index, sub.instrument_index, self.clock, self.basis_ts, order.order_id, terms
            )
        )
        return order

    def _verdict(self, sub: Subscription, order: Order, worth: cython.double) -> cython.int:
        """What the gate says of an order, timed where there is a stopwatch."""
        working: cython.longlong = len(self.orders.by_id)
        if self.desk.stopwatch is None:
            return sub.gate.decide(self.portfolio, sub.holding, order, worth, self.clock, working)
        started: cython.longlong = self.desk.stopwatch()
        rule: cython.int = sub.gate.decide(self.portfolio, sub.holding, order, worth, self.clock, working)
        ended: cython.longlong = self.desk.stopwatch()
        self.desk.timings.add(ended - started)
        return rule

    def _own_rules(self, sub: Subscription, terms: OrderTerms) -> cython.int:
        """What depends on this strategy's own position, whatever the account holds: 0, or the Reason's number."""
        held: cython.longlong = sub.position.units * terms.side
        if sub.holding.suspended and not self._only_reduces(sub, terms):
            return int(_SUSPENDED)
        if terms.flags & _REDUCE_ONLY_FLAG:
            return _REDUCE_ONLY if held >= 0 else 0
        return _COOLDOWN if sub.bars < sub.cooldown_until and held + terms.qty > 0 else 0

    def _only_reduces(self, sub: Subscription, terms: OrderTerms) -> cython.bint:
        """Whether an order can turn neither its strategy's position nor the account's, even if all that works fills too."""
        working: cython.longlong = sub.holding.pending_buy if terms.side > 0 else sub.holding.pending_sell
        return terms.qty <= -sub.position.units * terms.side and terms.qty + working <= -sub.holding.units * terms.side

    def suspend(self, holding: Holding, order_id: cython.longlong, who: cython.int) -> cython.int:
        """From now on only what reduces passes in an instrument. order_id: the order that led to it, or 0."""
        if not holding.suspended:
            holding.suspended = True
            self.log_plain(SUSPEND, holding.index, 0, order_id, who, 0, 0, 0)
        return 0

    def lift(self, holding: Holding, who: cython.int) -> cython.int:
        """An instrument's suspension is over."""
        if holding.suspended:
            holding.suspended = False
            self.log_plain(LIFT, holding.index, 0, 0, who, 0, 0, 0)
        return 0

    def _deny(self, sub: Subscription, order: Order, rule: cython.int) -> cython.int:
        order.reason_code = rule
        self.orders.apply(order, _DENY)
        self.denied += 1
        self.log_order(
            _DENY, order, self.clock, order.qty_units, order.limit_units, _stop_or_trail(order), order.signal_id
        )
        return self.notify(order, _DENY, self.clock) if sub.wants_orders else 0

    def cancel(self, order: Order, who: cython.int) -> cython.bint:
        """Ask the venue to cancel. False where there is nothing to cancel, it was asked before, or cancels are throttled.

        who: a Who's number. The throttle is the strategy's: what the system or a trader cancels is never held up.
        """
        if order.is_done():
            return False
        sub: Subscription = cython.cast(Subscription, self.subscriptions[order.owner_index])
        if who == _STRATEGY and self.orders.takes(order, _CANCEL_REQUEST):  # one that is out already costs nothing
            allowed: cython.bint = sub.gate.may_cancel(self.clock)
            if len(self.desk.warnings) > 0:
                self.log_warnings(sub, 0)
            if not allowed:
                self.log_refusal(sub, order, _CANCEL_THROTTLE)
                return False
        return self._ask_to_cancel(order, who)

    def _ask_to_cancel(self, order: Order, who: cython.int) -> cython.bint:
        if order.is_done() or self.orders.apply(order, _CANCEL_REQUEST) < 0:
            return False
        self.log_order(_CANCEL_REQUEST, order, self.clock, order.cum_units, order.qty_units - order.cum_units, 0, 0)
        self.log_who(who)
        self.outbox.append(
            make_request(
                _CANCEL_REQUEST,
                order.strategy_index,
                order.instrument_index,
                self.clock,
                self.basis_ts,
                order.order_id,
                None,
            )
        )
        return True

    def release(self, sub: Subscription, order: Order, qty: cython.longlong, leaves: cython.longlong) -> cython.int:
        """`qty` of the `leaves` that an order had is no longer on its way: give back what it reserved."""
        part: cython.double = order.reserve if qty == leaves else order.reserve * qty / leaves
        if not order.unreserved:
            sub.holding.add_pending(order.side_sign, -qty, -part)
            order.reserve -= part
        if order.type_code == _MARKET:
            sub.working_market -= qty * order.side_sign
        return 0

    def reserve_again(self, sub: Subscription, order: Order, before: cython.longlong) -> cython.int:
        """What may still fill is no longer `before`: give back, or reserve more, at the order's price or the last."""
        after: cython.longlong = order.open_units()
        if after <= before:
            if after < before:
                self.release(sub, order, before - after, before)
            return 0
        worth: cython.double = order_worth(
            sub.holding, order.side_sign, after - before, order.limit_units, order.stop_units
        )
        if not worth > 0.0:
            worth = 0.0
        if not order.unreserved:
            sub.holding.add_pending(order.side_sign, after - before, worth)
            order.reserve += worth
        if order.type_code == _MARKET:
            sub.working_market += (after - before) * order.side_sign
        return 0

    def restate(self, sub: Subscription, order: Order, report: VenueReport) -> cython.int:
        """A venue restated an order for a split. report.qty is what is left to fill in new shares; fills so far stay."""
        before: cython.longlong = order.open_units()
        total: cython.longlong = order.cum_units + report.qty
        if self.orders.restate(order, total, report.limit_price, report.stop_price) >= 0:
            change: cython.longlong = order.open_units() - before
            if not order.unreserved:
                sub.holding.add_pending(order.side_sign, change, 0.0)
            if order.type_code == _MARKET:
                sub.working_market += change * order.side_sign
        return self.log_order(
            _RESTATE,
            order,
            report.ts_event,
            total,
            report.limit_price,
            report.stop_price,
            order.cum_units,
        )

    def log_order(
        self,
        kind: cython.int,
        order: Order,
        ts_event: cython.longlong,
        a: cython.longlong,
        b: cython.longlong,
        c: cython.longlong,
        d: cython.longlong,
    ) -> cython.int:
        wide: cython.longlong = order.instrument_index
        owner: cython.longlong = order.strategy_index
        flags: cython.longlong = order.flag_bits
        head: cython.longlong = (
            kind
            | ((order.side_sign + 1) << 6)
            | (order.type_code << 8)
            | (order.tif_code << 11)
            | (order.state_code << 14)
            | (order.reason_code << 19)
            | (wide << 27)
            | (owner << 43)
            | (flags << 59)
        )
        return self._append(ts_event, head, order.order_id, a, b, c, d)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def log_who(self, who: cython.int) -> cython.int:
        """The last record was brought about by somebody else than its kind names: a Who's number, 0 for nobody else."""
        wide: cython.longlong = who
        self.decisions.ints[self.decisions.used - 1, 2] |= wide << 25
        return 0

    def log_display(self, order: Order) -> cython.int:
        """How much of an order is shown at a time from now on."""
        shown: cython.longlong = order.display_units if order.display_units > 0 else 0
        return self.log_plain(DISPLAY, order.instrument_index, order.strategy_index, order.order_id, shown, 0, 0, 0)

    def log_plain(
        self,
        kind: cython.int,
        instrument: cython.int,
        strategy: cython.int,
        ident: cython.longlong,
        a: cython.longlong,
        b: cython.longlong,
        c: cython.longlong,
        d: cython.longlong,
    ) -> cython.int:
        wide: cython.longlong = instrument
        owner: cython.longlong = strategy
        return self._append(self.basis_ts, kind | (1 << 6) | (wide << 27) | (owner << 43), ident, a, b, c, d)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _append(
        self,
        ts_event: cython.longlong,
        head: cython.longlong,
        ident: cython.longlong,
        a: cython.longlong,
        b: cython.longlong,
        c: cython.longlong,
        d: cython.longlong,
    ) -> cython.int:
        log: RowLog = self.decisions
        i: cython.Py_ssize_t = log.row()
        log.ints[i, 0] = self.clock
        log.ints[i, 1] = ts_event
        log.ints[i, 2] = head
        log.ints[i, 3] = ident
        log.ints[i, 4] = a
        log.ints[i, 5] = b
        log.ints[i, 6] = c
        log.ints[i, 7] = d
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def log_posting(
        self,
        kind: cython.int,
        instrument: cython.int,
        strategy: cython.int,
        a: cython.longlong,
        b: cython.longlong,
        money: Money,
    ) -> cython.int:
        """Cash that is no fill's, in the decision log. money: ledger units that a strategy's position received."""
        self.log_plain(kind, instrument, strategy, 0, a, b, low_word(money), 0)
        log: RowLog = self.decisions
        log.floats[log.used - 1, 7] = float(money) / self.portfolio.ledger.scale
        return 0

    def add_profit(self, profit: Money) -> cython.int:
        """The profit within the posting logged last, ledger units."""
        log: RowLog = self.decisions
        log.ints[log.used - 1, 4] = low_word(profit)
        log.floats[log.used - 1, 5] = float(profit) / self.portfolio.ledger.scale
        return 0

    def log_margin(self, kind: cython.int) -> cython.int:
        """A margin call that began or ended with the last mark."""
        self.log_plain(kind, 0, 0, 0, 0, 0, 0, 0)
        log: RowLog = self.decisions
        log.floats[log.used - 1, 6] = self.portfolio.marked_equity
        log.floats[log.used - 1, 7] = self.portfolio.marked_maintenance
        return 0

    def log_risk(
        self,
        kind: cython.int,
        instrument: cython.int,
        strategy: cython.int,
        ident: cython.longlong,
        rule: cython.int,
        limit: cython.double,
        actual: cython.double,
        by: cython.int,
    ) -> cython.int:
        """What risk said of an order, or did by itself, with its limit and the actual value."""
        self.log_plain(kind, instrument, strategy, ident, rule, 0, 0, by)
        log: RowLog = self.decisions
        log.floats[log.used - 1, 5] = limit
        log.floats[log.used - 1, 6] = actual
        return 0

    def log_refusal(self, sub: Subscription, order: Order, rule: cython.int) -> cython.int:
        """What the gate said no to last, in the decision log."""
        return self.log_risk(
            REFUSAL, sub.instrument_index, sub.seat_index, order.order_id, rule, sub.gate.limit, sub.gate.actual, 0
        )

    def log_warnings(self, sub: Subscription, ident: cython.longlong) -> cython.int:
        """What came near a limit, in the decision log."""
        for rule, limit, actual in self.desk.warnings:
            self.log_risk(WARNING, sub.instrument_index, sub.seat_index, ident, rule, limit, actual, 0)
        self.desk.warnings.clear()
        return 0

    # ---- the kill switch

    def watch_losses(self, clock: cython.longlong) -> cython.int:
        """The account was marked."""
        self.desk.mark(clock, self.portfolio.marked_equity)
        return self.watch()

    def watch_position(self, sub: Subscription, side: cython.int) -> cython.int:
        """A fill of a side was booked."""
        sub.gate.filled(sub.holding, side)
        return self.watch()

    def watch(self) -> cython.int:
        """Act upon what has fired the kill switch, if anything has."""
        rule: cython.int = self.desk.due
        if rule:
            self.kill(self.desk.act_due(self.clock), rule, 0)
        return 0

    def kill(self, act: RiskAct, rule: int, by: int) -> None:
        """The kill switch: every open order is asked to be cancelled; from here on only cancels and closing orders go out.

        Fired while it is on, it is recorded and asks again.
        """
        self.desk.halt(act)
        self.log_risk(KILL, 0, 0, 0, rule, act.limit, act.actual, by)
        for order in list(self.orders.by_id.values()):
            self._ask_to_cancel(order, _TRADER if by else _SYSTEM)

    def log_signal(
        self, sub: Subscription, ident: int, confidence: float, target: float, stop: float, action: int
    ) -> None:
        """A signal, in the decision log. target, stop: nan where there is none."""
        self.log_plain(32, sub.instrument_index, sub.seat_index, ident, 0, 0, 0, action)
        log: RowLog = self.decisions
        log.floats[log.used - 1, 4] = confidence
        log.floats[log.used - 1, 5] = target
        log.floats[log.used - 1, 6] = stop

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)  # the scale is a power of ten
    def log_fill(self, order: Order, report: VenueReport, kind: cython.int) -> cython.int:
        """A fill, in both logs."""
        self.log_order(kind, order, report.ts_event, report.qty, report.price, report.exec_id, order.cum_units)
        decisions: RowLog = self.decisions
        fills: RowLog = self.fills
        sub: Subscription = cython.cast(Subscription, self.subscriptions[order.owner_index])
        liquidity: cython.longlong = report.liquidity
        last: cython.Py_ssize_t = decisions.used - 1
        decisions.ints[last, 2] |= liquidity << 25
        i: cython.Py_ssize_t = fills.row()
        fills.ints[i, 0] = self.clock
        fills.ints[i, 1] = report.ts_event
        fills.ints[i, 2] = report.exec_id
        fills.ints[i, 3] = order.order_id
        fills.ints[i, 4] = decisions.ints[last, 2]
        fills.ints[i, 5] = report.qty
        fills.ints[i, 6] = report.price
        fills.ints[i, 7] = report.reference_price
        slippage: cython.double = self._slippage(sub, order, report)
        spread_cost: cython.double = self._spread_cost(sub, order, report)
        fills.floats[i, 9] = slippage
        fills.floats[i, 10] = spread_cost
        sub.position.add_costs(slippage, spread_cost)
        return self.log_money(i, sub.holding, report.fee, sub.position.last_profit)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)  # the scale is a power of ten
    def log_money(self, i: cython.Py_ssize_t, holding: Holding, fee: Money, profit: Money) -> cython.int:
        """What a fill cost and realised, ledger units, and the rate of its currency, in row i of the fills."""
        fills: RowLog = self.fills
        scale: cython.double = self.portfolio.ledger.scale
        paid: cython.py_int = fee
        closed: cython.py_int = profit
        fills.floats[i, 8] = cython.cast(cython.double, paid) / scale
        fills.ints[i, 11] = low_word(fee)
        fills.floats[i, 12] = cython.cast(cython.double, closed) / scale
        fills.ints[i, 13] = low_word(profit)
        fills.floats[i, 14] = holding.in_account(1.0)
        return 0

    def _slippage(self, sub: Subscription, order: Order, report: VenueReport) -> cython.double:
        """How much worse than its reference price a fill was, currency, at or above 0."""
        if report.price == report.reference_price:
            return 0.0
        qty: cython.double = cython.cast(cython.double, report.qty) * order.side_sign
        paid: cython.double = sub.holding.valuation.mark(cython.cast(cython.double, report.price), qty)
        return paid - sub.holding.valuation.mark(cython.cast(cython.double, report.reference_price), qty)

    def _spread_cost(self, sub: Subscription, order: Order, report: VenueReport) -> cython.double:
        """What half the spread of the quote a fill took from was worth, currency, at or above 0."""
        if report.spread <= 0:
            return 0.0
        touch: cython.double = cython.cast(cython.double, report.reference_price)
        middle: cython.double = touch - order.side_sign * cython.cast(cython.double, report.spread) / 2.0
        qty: cython.double = cython.cast(cython.double, report.qty) * order.side_sign
        return sub.holding.valuation.mark(touch, qty) - sub.holding.valuation.mark(middle, qty)

    def notify(self, order: Order, kind: cython.int, ts_event: cython.longlong) -> cython.int:
        """Keep an order event for its strategy, to be handed over after the present handler."""
        self.later.append((order.strategy_index, self.order_event(order, kind, ts_event)))
        return 0

    def order_event(self, order: Order, kind: int, ts_event: int) -> OrderEvent:
        """What just happened to an order, as a fact."""
        return OrderEvent(
            ts=Nanos(self.clock),
            ts_event=Nanos(ts_event),
            client_order_id=order.order_id,
            venue_order_id=order.venue_order_id,
            strategy=order.strategy,
            symbol=order.instrument.symbol,
            kind=OrderEventKind(kind),
            state=OrderState(order.state_code),
            side=Side(order.side_sign),
            qty=Qty(order.qty_units),
            cum_qty=Qty(order.cum_units),
            leaves_qty=Qty(order.leaves_units),
            reason=Reason(order.reason_code),
        )

    def fill_fact(self, order: Order, report: VenueReport) -> Fill:
        """A fill, as a fact for on_fill."""
        instrument = order.instrument
        sub: Subscription = cython.cast(Subscription, self.subscriptions[order.owner_index])
        return Fill(
            ts=Nanos(self.clock),
            ts_event=Nanos(report.ts_event),
            exec_id=report.exec_id,
            client_order_id=order.order_id,
            strategy=order.strategy,
            symbol=instrument.symbol,
            side=Side(order.side_sign),
            price=report.price / sub.scale,
            qty=report.qty / sub.qty_scale,
            price_units=Price(report.price),
            qty_units=Qty(report.qty),
            leaves_qty=Qty(order.leaves_units),
            fee=report.fee / self.portfolio.ledger.scale,
            slippage=self._slippage(sub, order, report),
            liquidity=Liquidity(report.liquidity),
            spread_cost=self._spread_cost(sub, order, report),
        )


def _stop_or_trail(order: Order) -> cython.longlong:
    """What the decision record says of an order's trigger: its stop price, or its trail."""
    return order.trail_units if order.type_code == _TRAILING else order.stop_units


def low_word(value: Money) -> cython.longlong:
    """The low 64 bits of an int, signed."""
    if cython.compiled:
        try:
            return cython.cast(cython.longlong, value)
        except OverflowError:
            pass  # beyond 64 bits: rare enough for the long way
    low = value & 0xFFFFFFFFFFFFFFFF
    return low - (1 << 64) if low >= 1 << 63 else low
