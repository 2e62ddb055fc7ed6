"""Cancel-replace: an order asks for another quantity or price, and the venue answers.

While the answer is out the order reserves what may come of either outcome, whichever is more. The order keeps its number for
life; each replacement asked for takes a `revision` of its own, so "7" becomes "7.1" and then "7.2": the chain of ClOrdID and
OrigClOrdID, of which there is one live head. One that was refused leaves a gap: no client id is sent twice.
"""

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.state import State
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.engine.worth import order_worth
    from cython.cimports.lockstep.model.traffic import OrderTerms, VenueReport, make_request, make_terms
    from cython.cimports.lockstep.orders.order import Order
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.engine.state import State
    from lockstep.engine.subscription import Subscription
    from lockstep.engine.worth import order_worth
    from lockstep.model.traffic import OrderTerms, VenueReport, make_request, make_terms
    from lockstep.orders.order import Order
    from lockstep.portfolio.position import Holding
from lockstep.model.enums import OrderEventKind, Reason, Who

_REPLACE_REQUEST = cython.declare(cython.int, int(OrderEventKind.REPLACE_REQUEST))
_REPLACE = cython.declare(cython.int, int(OrderEventKind.REPLACE))
_REPLACE_REJECT = cython.declare(cython.int, int(OrderEventKind.REPLACE_REJECT))
_SUSPENDED = cython.declare(cython.int, int(Reason.SUSPENDED))
_COOLDOWN = cython.declare(cython.int, int(Reason.COOLDOWN))
_STRATEGY = cython.declare(cython.int, int(Who.STRATEGY))
_SYSTEM = cython.declare(cython.int, int(Who.SYSTEM))


def ask_replace(
    state: State,
    sub: Subscription,
    order: Order,
    qty: cython.longlong,
    limit_price: cython.longlong,
    stop_price: cython.longlong,
    who: cython.int,
) -> cython.bint:
    """Ask the venue for a new total quantity and new prices, on checked terms; risk is asked first,
    unless it only becomes smaller.

    A total at or below what is filled is a cancel of the rest: no quantity below it is ever asked for. False where risk
    refuses (the order stands as it was, and its reason says why), where it is done, unknown, or waits for
    an answer already.
    """
    holding: Holding = sub.holding
    if not state.orders.takes(order, _REPLACE_REQUEST):
        state.orders.apply(order, _REPLACE_REQUEST)  # counted
        return False
    if qty <= order.cum_units:
        return state.cancel(order, who)
    before: cython.longlong = order.open_units()
    leaves: cython.longlong = qty - order.cum_units
    worth: cython.double = order_worth(holding, order.side_sign, leaves, limit_price, stop_price)
    moves: cython.bint = limit_price != order.limit_units or stop_price != order.stop_units
    # Where the engine fits a leg to its bracket, the other leg is asked about, which reserves for both.
    judged: cython.bint = not order.unreserved or who == _STRATEGY
    if judged and (leaves > before or moves or (worth > order.reserve and not order.unreserved)):
        rule: cython.int = _verdict(state, sub, order, leaves, limit_price, stop_price, worth)
        if rule:
            order.reason_code = rule
            state.log_order(_REPLACE_REJECT, order, state.clock, order.cum_units, order.leaves_units, 0, 0)
            state.log_who(_SYSTEM)
            if rule != _SUSPENDED and rule != _COOLDOWN:  # those are not the gate's, and have no numbers
                state.log_refusal(sub, order, rule)
                state.desk.refuse()
            if sub.wants_orders:
                state.notify(order, _REPLACE_REJECT, state.clock)
            if state.desk.due:
                state.watch()
            return False
    sub.gate.resent(order, state.clock)
    state.orders.apply(order, _REPLACE_REQUEST)
    order.replace_units = qty
    order.replace_limit = limit_price
    order.revision_asked += 1
    more: cython.longlong = order.open_units() - before
    extra: cython.double = worth - order.reserve if worth > order.reserve else 0.0
    if not order.unreserved and (more > 0 or extra > 0.0):
        holding.add_pending(order.side_sign, more, extra)
        order.reserve += extra
    terms: OrderTerms = make_terms(
        order.side_sign, order.type_code, order.tif_code, order.flag_bits, qty, limit_price, stop_price,
        order.trail_units, order.expire_ts, order.signal_id, order.display_units,
    )  # fmt: skip
    trigger: cython.longlong = order.trail_units if order.trail_units > 0 else stop_price
    state.log_order(_REPLACE_REQUEST, order, state.clock, qty, limit_price, trigger, order.cum_units)
    state.log_who(who)
    state.outbox.append(
        make_request(
            _REPLACE_REQUEST, sub.seat_index, sub.instrument_index, state.clock, state.basis_ts, order.order_id, terms,
            order.revision_asked, order.revision,
        )
    )  # fmt: skip
    return True


def _verdict(
    state: State,
    sub: Subscription,
    order: Order,
    qty: cython.longlong,
    limit_price: cython.longlong,
    stop_price: cython.longlong,
    worth: cython.double,
) -> cython.int:
    """Risk on what the order would be in place of what it is: 0, or the Reason's number."""
    holding: Holding = sub.holding
    if holding.suspended and not (order.reduce_only and qty <= -sub.position.units * order.side_sign):
        return int(_SUSPENDED)
    grows: cython.bint = qty > order.open_units() and not order.reduce_only
    if grows and sub.bars < sub.cooldown_until and sub.position.units * order.side_sign + qty > 0:
        return int(_COOLDOWN)
    rule: cython.int = sub.gate.decide_replace(
        state.portfolio, holding, order, qty, limit_price, stop_price, worth, state.clock, len(state.orders.by_id)
    )
    if len(state.desk.warnings) > 0:
        state.log_warnings(sub, order.order_id)
    return rule


def take_answer(state: State, sub: Subscription, order: Order, report: VenueReport) -> cython.int:
    """The venue accepted a replacement, or refused it: the reservation is that of the outcome from now on."""
    if not state.orders.answers(order, report.revision):
        return 0
    before: cython.longlong = order.open_units()
    accepted: cython.bint = report.kind == _REPLACE
    over: cython.longlong = state.orders.overfills
    if accepted:
        state.orders.replace(order, report.qty, report.limit_price, report.stop_price)
    else:
        state.orders.keep(order)
    after: cython.longlong = order.open_units()
    worth: cython.double = 0.0
    if after > 0:
        worth = order_worth(sub.holding, order.side_sign, after, order.limit_units, order.stop_units)
        if not worth > 0.0:
            worth = order.reserve
    if not order.unreserved:
        sub.holding.add_pending(order.side_sign, after - before, worth - order.reserve)
        order.reserve = worth
    if accepted:
        trigger: cython.longlong = order.trail_units if order.trail_units > 0 else order.stop_units
        state.log_order(_REPLACE, order, report.ts_event, order.qty_units, order.limit_units, trigger, order.cum_units)
    else:
        state.log_order(
            _REPLACE_REJECT, order, report.ts_event, order.cum_units, order.leaves_units, report.venue_order_id, 0
        )
    if state.orders.overfills != over:
        state.suspend(sub.holding, order.order_id, _SYSTEM)
    return 0
