"""What is rare in an order's life: lost orders, words that come too late, corrections and busts, executions of strangers."""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.groups import follow
    from cython.cimports.lockstep.engine.rowlog import RowLog
    from cython.cimports.lockstep.engine.state import State
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.model.traffic import VenueReport, make_fill
    from cython.cimports.lockstep.orders.order import Order
else:
    from lockstep.engine.groups import follow
    from lockstep.engine.rowlog import RowLog
    from lockstep.engine.state import State
    from lockstep.engine.subscription import Subscription
    from lockstep.model.traffic import VenueReport, make_fill
    from lockstep.orders.order import Order
from lockstep.engine.records import ORPHAN
from lockstep.model.enums import OrderEventKind, Who
from lockstep.model.errors import RefuseError, did_you_mean
from lockstep.orders.table import ANOMALY

_LOSE = cython.declare(cython.int, int(OrderEventKind.LOSE))
_PARTIAL = cython.declare(cython.int, int(OrderEventKind.PARTIAL))
_FILL = cython.declare(cython.int, int(OrderEventKind.FILL))
_RESTATE = cython.declare(cython.int, int(OrderEventKind.RESTATE))
_REPLACE = cython.declare(cython.int, int(OrderEventKind.REPLACE))
_CORRECT = cython.declare(cython.int, int(OrderEventKind.CORRECT))
_BUST = cython.declare(cython.int, int(OrderEventKind.BUST))
_SYSTEM = cython.declare(cython.int, int(Who.SYSTEM))
_ANOMALY = cython.declare(cython.int, ANOMALY)


def open_order(state: State, order_id: Any) -> Order:
    """An open order by its number. Raises: RefuseError: there is none."""
    found: Order | None = state.orders.by_id.get(order_id)
    if found is None:
        raise RefuseError(
            f"no open order has the number {order_id}",
            hint=did_you_mean(str(order_id), [str(number) for number in state.orders.by_id]),
        )
    return found


def lose(state: State, order: Order, who: cython.int) -> cython.bint:
    """What became of an order is not known. False where that is known already."""
    if state.orders.apply(order, _LOSE) < 0:
        return False
    sub: Subscription = cython.cast(Subscription, state.subscriptions[order.owner_index])
    state.log_order(_LOSE, order, state.clock, order.cum_units, order.leaves_units, order.venue_order_id, 0)
    state.log_who(who)
    if order.group_id > 0:
        follow(state, order)
    if sub.wants_orders:
        state.notify(order, _LOSE, state.clock)
    return True


def take_stranger(state: State, report: VenueReport) -> cython.int:
    """A word about an order that is not known: never ours, never sent, or done too long ago to be kept.

    An execution of it moves an account by something that is in no book of ours: the instrument is suspended until someone
    has looked.
    """
    if report.kind != _FILL and report.kind != _PARTIAL and report.kind != _CORRECT and report.kind != _BUST:
        return 0
    state.log_plain(
        ORPHAN, report.instrument, 0, report.order_id, report.qty, report.price, report.exec_id, report.kind
    )
    return state.suspend(state.portfolio.holdings[report.instrument], report.order_id, _SYSTEM)


def take_late_word(state: State, order: Order, report: VenueReport) -> cython.int:
    """Anything but an execution of an order that is done: harmless and counted, or an anomaly that is recorded too."""
    if state.orders.apply(order, report.kind) == _ANOMALY:
        if report.kind == _RESTATE or report.kind == _REPLACE:  # what it was and stays
            trigger: cython.longlong = order.trail_units if order.trail_units > 0 else order.stop_units
            state.log_order(
                report.kind, order, report.ts_event, order.qty_units, order.limit_units, trigger, order.cum_units
            )
        else:
            state.log_order(report.kind, order, report.ts_event, order.cum_units, 0, report.venue_order_id, 0)
    return 0


def take_amendment(state: State, order: Order, report: VenueReport) -> cython.int:
    """A past execution is not what it was, or never was: taken back as booked, then booked as it stands now.

    One that comes before the execution it is about stands for it: when that comes, it is a repeat. Of several about the same
    execution the last at the venue stands, in whatever order they come. One about an execution from before a split is not
    booked: it suspends the instrument, as a stranger's does.
    """
    sub: Subscription = cython.cast(Subscription, state.subscriptions[order.owner_index])
    if report.ref_exec_id <= 0:
        return take_stranger(state, report)
    if order.knows(report.exec_id):
        state.orders.duplicates += 1
        return 0
    old: VenueReport | None = order.execution(report.ref_exec_id)
    if old is None:
        old = make_fill(
            _FILL, report.instrument, report.clock, report.ts_event, order.order_id, report.venue_order_id,
            report.ref_exec_id, 0, report.price, 0,
        )  # fmt: skip
        state.orders.keep_execution(order, old)
    if old.qty > 0 and old.ts_event < sub.holding.split_ts:  # in old shares: what it means today nobody has said
        return take_stranger(state, report)
    if report.ts_event < old.ts_event:  # overtaken by a later one
        state.orders.duplicates += 1
        return state.orders.keep_amendment(order, report.exec_id, old.exec_id)
    leaves: cython.longlong = order.open_units()
    undone: object = 0
    over: cython.longlong = state.orders.overfills
    state.orders.amend(order, report)
    if old.qty > 0:
        state.portfolio.undo_fill(sub.position, order.side_sign, old.price, old.qty, old.fee)
        undone = sub.position.last_profit
    if report.kind == _CORRECT:
        state.portfolio.book_fill(sub.position, order.side_sign, report.price, report.qty, report.fee)
    if leaves > 0:
        state.reserve_again(sub, order, leaves)
    _log_amendment(state, sub, order, report, old, undone)
    if state.orders.overfills != over:
        state.suspend(sub.holding, order.order_id, _SYSTEM)
    state.watch_position(sub, 1)  # a correction may add to either side, as a bust of what closed does
    state.watch_position(sub, -1)
    if sub.wants_orders:
        state.notify(order, report.kind, report.ts_event)
    return 0


def _log_amendment(
    state: State, sub: Subscription, order: Order, report: VenueReport, old: VenueReport, undone: Any
) -> cython.int:
    """One decision; among the fills the opposite of what it undoes, then what stands now."""
    busted: cython.bint = report.kind == _BUST
    state.log_order(
        report.kind,
        order,
        report.ts_event,
        old.qty if busted else report.qty,
        old.price if busted else report.price,
        report.ref_exec_id,
        order.cum_units,
    )
    if old.qty > 0:
        _log_fill(state, sub, order, report, -order.side_sign, old.qty, old.price, -old.fee, undone)
    if not busted:
        profit = sub.position.last_profit
        _log_fill(state, sub, order, report, order.side_sign, report.qty, report.price, report.fee, profit)
    return 0


def _log_fill(
    state: State,
    sub: Subscription,
    order: Order,
    report: VenueReport,
    side: cython.int,
    qty: cython.longlong,
    price: cython.longlong,
    fee: Any,
    profit: Any,
) -> cython.int:
    fills: RowLog = state.fills
    head: cython.longlong = state.decisions.ints[state.decisions.used - 1, 2]
    wide: cython.longlong = side + 1
    liquidity: cython.longlong = report.liquidity
    i: cython.Py_ssize_t = fills.row()
    fills.ints[i, 0] = state.clock
    fills.ints[i, 1] = report.ts_event
    fills.ints[i, 2] = report.exec_id
    fills.ints[i, 3] = order.order_id
    fills.ints[i, 4] = (head & ~(3 << 6)) | (wide << 6) | (liquidity << 25)
    fills.ints[i, 5] = qty
    fills.ints[i, 6] = price
    fills.ints[i, 7] = price
    fills.floats[i, 9] = 0.0
    fills.floats[i, 10] = 0.0
    return state.log_money(i, sub.holding, fee, profit)
