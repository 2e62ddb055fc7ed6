"""Orders that depend on each other: a bracket's exits on its entry, and orders of which one cancels the others.

**Bracket.** A parent, and up to two kinds of legs on the other side: a limit that takes the profit, a stop that ends the loss.
Legs are opened for what of the parent is filled, never for more, and follow it: when more of it fills, one of them fills, or a
fill turns out to be none. The two are alternatives: each may fill what is left, so that of both together no more is wanted than
the parent filled. Both are reduce-only, since a venue may fill one while our word about the other is on its way. They reserve
once, as one.

**One cancels the others.** The first fill of any cancels the rest.

All of it happens while the report that leads to it is taken, before the strategy hears of it: a replay does the same.
"""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.replacing import ask_replace
    from cython.cimports.lockstep.engine.state import State
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.model.traffic import OrderTerms, make_terms
    from cython.cimports.lockstep.orders.order import Order
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.engine.replacing import ask_replace
    from lockstep.engine.state import State
    from lockstep.engine.subscription import Subscription
    from lockstep.model.traffic import OrderTerms, make_terms
    from lockstep.orders.order import Order
    from lockstep.portfolio.position import Holding
from lockstep.engine.records import LINK
from lockstep.model.enums import OrderEventKind, OrderFlag, OrderState, OrderType, Reason, TimeInForce, Who
from lockstep.model.errors import StrategyError

_LIMIT = cython.declare(cython.int, int(OrderType.LIMIT))
_STOP = cython.declare(cython.int, int(OrderType.STOP))
_GTC = cython.declare(cython.int, int(TimeInForce.GTC))
_REDUCE_ONLY = cython.declare(cython.int, int(OrderFlag.REDUCE_ONLY))
_REPLACE_REQUEST = cython.declare(cython.int, int(OrderEventKind.REPLACE_REQUEST))
_FILLED = cython.declare(cython.int, int(OrderState.FILLED))
_LINKED = cython.declare(cython.int, int(Reason.LINKED))
_SYSTEM = cython.declare(cython.int, int(Who.SYSTEM))
_UNKNOWN = cython.declare(cython.int, int(OrderState.UNKNOWN))
_CANCEL_ASKED = cython.declare(cython.longlong, -1)
_CANCEL_IN_DOUBT = cython.declare(cython.longlong, -2)  # asked while it was UNKNOWN
ALTERNATIVE, TAKE_PROFIT, STOP_LOSS = 0, 1, 2
"""What a LINK record calls an order of a group."""


@cython.final
@cython.cclass
class Group:
    """Orders that depend on each other.

    parent: of a bracket, else None. take_units, stop_units: prices of its legs, 0 for none. legs: every leg there ever was, or
    the alternatives. released: of the parent's fills, what is not the legs' to close: closed by other orders. given_up: types of
    legs, as bits, that somebody else ended and that are not opened again. take_asked, stop_asked: the total last asked of a leg, or
    below 0 for its cancel, so that a venue which refuses is not asked the same for ever. winner: the alternative that filled first.
    """

    group_id: cython.longlong
    parent: Order | None
    take_units: cython.longlong
    stop_units: cython.longlong
    released: cython.longlong
    winner: cython.longlong
    take_asked: cython.longlong
    stop_asked: cython.longlong
    legs: list[Order]
    given_up: cython.int

    def __init__(self, group_id: int, parent: Order | None = None, take_units: int = 0, stop_units: int = 0) -> None:
        self.group_id = group_id
        self.parent = parent
        self.take_units = take_units
        self.stop_units = stop_units
        self.released = 0
        self.winner = 0
        self.take_asked = 0
        self.stop_asked = 0
        self.legs = []
        self.given_up = 0


def bracket(state: State, parent: Order, take_units: cython.longlong, stop_units: cython.longlong) -> cython.int:
    """Give an order that was just sent the exits to come. A price of 0: no such exit."""
    if parent.is_done():
        return 0
    group: Group = Group(parent.order_id, parent, take_units, stop_units)
    state.groups[group.group_id] = group
    parent.group_id = group.group_id
    return 0


def link(state: State, orders: list[Any]) -> cython.bint:
    """Let the first fill of any of these cancel the others. False where fewer than two of them are open."""
    order: Order
    open_orders = [entry for entry in orders if entry.is_open]
    if len(open_orders) < 2:
        return False
    order = cython.cast(Order, open_orders[0])
    group: Group = Group(order.order_id)
    group.legs = open_orders
    state.groups[group.group_id] = group
    for entry in open_orders:
        order = cython.cast(Order, entry)
        order.group_id = group.group_id
        sub: Subscription = cython.cast(Subscription, state.subscriptions[order.owner_index])
        _log_link(state, group, sub, order.order_id, ALTERNATIVE)
    for entry in orders:  # one that is done may have been the first
        order = cython.cast(Order, entry)
        if order.cum_units > 0:
            return _one_cancels_others(state, group, order) == 0
    return True


def after_fill(state: State, sub: Subscription, order: Order) -> cython.int:
    """A fill was booked: its own group follows, and brackets whose position somebody closed have nothing to close any more."""
    if order.group_id > 0:
        follow(state, order)
    for entry in list(state.groups.values()):
        group: Group = cython.cast(Group, entry)
        parent: Order | None = group.parent
        if parent is None or parent.owner_index != sub.index or parent.order_id == order.order_id:
            continue
        if sub.position.units * parent.side_sign <= 0 and (parent.cum_units > 0 or len(group.legs) > 0):
            filled: cython.longlong = children_filled(group)
            if parent.cum_units - filled > group.released:
                group.released = parent.cum_units - filled
            _balance(state, group)
    return 0


def follow(state: State, order: Order) -> cython.int:
    """Something happened to an order of a group: the others follow."""
    found: Group | None = state.groups.get(order.group_id)
    if found is None:  # over
        return 0
    if found.parent is None:
        return _one_cancels_others(state, found, order)
    return _balance(state, found)


def split_groups(state: State, instrument: cython.int, new_shares: Any, old_shares: Any) -> cython.int:
    """A split: what brackets have yet to close, and their prices, in new shares. The venue restates what it works itself."""
    for entry in state.groups.values():
        group: Group = cython.cast(Group, entry)
        parent: Order | None = group.parent
        if parent is None or parent.instrument_index != instrument:
            continue
        filled: cython.longlong = children_filled(group)
        rest = parent.cum_units - group.released - filled
        group.released = parent.cum_units - filled - rest * new_shares // old_shares
        tick = parent.instrument.tick_size
        take = group.take_units * old_shares // new_shares
        stop = group.stop_units * old_shares // new_shares
        group.take_units = max(tick, take - take % tick) if group.take_units else 0
        group.stop_units = max(tick, stop - stop % tick) if group.stop_units else 0
        group.take_asked = group.stop_asked = 0
    return 0


def children_filled(group: Group) -> cython.longlong:
    """What the legs of a bracket have filled together, units."""
    total: cython.longlong = 0
    for entry in group.legs:
        total += cython.cast(Order, entry).cum_units
    return total


def check_leg(state: State, order: Order, qty: cython.longlong) -> cython.int:
    """Whether a strategy may ask for another total of an order. Raises: StrategyError: a leg of more than it can close."""
    found: Group | None = state.groups.get(order.group_id) if order.parent_id > 0 else None
    if found is None or qty <= order.qty_units:
        return 0
    most = order.cum_units + _rest(state, found)
    if qty > most:
        raise StrategyError(
            f"order {order.order_id} closes what order {order.parent_id} filled: qty= was "
            f"{order.instrument.qty_text(qty)}, at most {order.instrument.qty_text(most)}"
        )
    return 0


def _live(group: Group, leg_type: cython.int) -> Order | None:
    """The leg of a type that is not done."""
    for entry in group.legs:
        leg: Order = cython.cast(Order, entry)
        if leg.type_code == leg_type and not leg.is_done():
            return leg
    return None


def _rest(state: State, group: Group) -> cython.longlong:
    """What the legs may still close, units: of the parent's fills, and of the position that is there."""
    parent: Order = cython.cast(Order, group.parent)
    sub: Subscription = cython.cast(Subscription, state.subscriptions[parent.owner_index])
    rest: cython.longlong = parent.cum_units - group.released - children_filled(group)
    held: cython.longlong = sub.position.units * parent.side_sign
    if held < rest:
        rest = held
    return rest if rest > 0 else 0


def _one_cancels_others(state: State, group: Group, order: Order) -> cython.int:
    if group.winner == 0 and order.cum_units > 0:
        group.winner = order.order_id
    alive: cython.bint = False
    for entry in group.legs:
        leg: Order = cython.cast(Order, entry)
        if leg.is_done():
            continue
        alive = True
        if group.winner > 0 and leg.order_id != group.winner:
            _ask_cancel(state, leg)
    if not alive:
        del state.groups[group.group_id]
    return 0


def _balance(state: State, group: Group) -> cython.int:
    """Bring the legs of a bracket to what is left to close: opened, made larger or smaller, or cancelled."""
    parent: Order = cython.cast(Order, group.parent)
    rest: cython.longlong = _rest(state, group)
    _fit(state, group, _STOP, rest)  # the loss is bounded first
    _fit(state, group, _LIMIT, rest)
    stop: Order | None = _live(group, _STOP)
    take: Order | None = _live(group, _LIMIT)
    sub: Subscription = cython.cast(Subscription, state.subscriptions[parent.owner_index])
    if stop is not None and take is None:
        _reserve_alone(state, sub, stop)
    elif take is not None and stop is None:
        _reserve_alone(state, sub, take)
    elif stop is None and take is None and parent.is_done():
        del state.groups[group.group_id]
    return 0


def _fit(state: State, group: Group, leg_type: cython.int, rest: cython.longlong) -> cython.int:
    """One type of leg. A new one waits until the other kind works no more than what is left."""
    price: cython.longlong = group.stop_units if leg_type == _STOP else group.take_units
    asked: cython.longlong = group.stop_asked if leg_type == _STOP else group.take_asked
    if price == 0:
        return 0
    leg: Order | None = _live(group, leg_type)
    if leg is not None:
        return _shrink_or_grow(state, group, leg, rest)
    for entry in group.legs:
        last: Order = cython.cast(Order, entry)
        if last.type_code == leg_type:
            leg = last
    if leg is not None and leg.state_code != _FILLED and asked >= 0:
        group.given_up |= 1 << leg_type  # the venue, the strategy or a trader ended it
    other: Order | None = _live(group, _LIMIT if leg_type == _STOP else _STOP)
    if rest == 0 or group.given_up & (1 << leg_type) or (other is not None and other.open_units() > rest):
        return 0
    return _open_leg(state, group, leg_type, rest)


def _shrink_or_grow(state: State, group: Group, leg: Order, rest: cython.longlong) -> cython.int:
    stops: cython.bint = leg.type_code == _STOP
    asked: cython.longlong = group.stop_asked if stops else group.take_asked
    want: cython.longlong = leg.cum_units + rest
    if rest > 0 and (leg.replace_units > 0 or leg.qty_units == want):
        return 0  # an answer is out, on which this is asked again; or it is right
    if asked == _CANCEL_ASKED and leg.state_code == _UNKNOWN:
        if stops:  # lost with its order: asked again if that is found
            group.stop_asked = _CANCEL_IN_DOUBT
        else:
            group.take_asked = _CANCEL_IN_DOUBT
        return 0
    if asked == _CANCEL_ASKED and want <= leg.qty_units:
        return 0  # its cancel is out, or was refused: then it is about to fill
    if rest == 0 or (asked == want and want < leg.qty_units):
        # What cannot be made smaller is cancelled, and opened anew.
        want = _CANCEL_IN_DOUBT if leg.state_code == _UNKNOWN else _CANCEL_ASKED
        if asked == want:
            return 0
    elif asked == want or not state.orders.takes(leg, _REPLACE_REQUEST):
        return 0
    if stops:
        group.stop_asked = want
    else:
        group.take_asked = want
    if want < 0:
        return _ask_cancel(state, leg)
    sub: Subscription = cython.cast(Subscription, state.subscriptions[leg.owner_index])
    ask_replace(state, sub, leg, want, leg.limit_units, leg.stop_units, _SYSTEM)
    return 0


def _open_leg(state: State, group: Group, leg_type: cython.int, rest: cython.longlong) -> cython.int:
    """Send a leg through risk like any order, in place of the other one's reservation and not beside it."""
    parent: Order = cython.cast(Order, group.parent)
    sub: Subscription = cython.cast(Subscription, state.subscriptions[parent.owner_index])
    holding: Holding = sub.holding
    stops: cython.bint = leg_type == _STOP
    side: cython.int = -parent.side_sign
    other: Order | None = _live(group, _LIMIT if stops else _STOP)
    shared: cython.longlong = 0
    worth: cython.double = 0.0
    if other is not None and not other.unreserved:
        shared = other.open_units()
        worth = other.reserve
        holding.add_pending(side, -shared, -worth)
    terms: OrderTerms = make_terms(
        side, leg_type, _GTC, _REDUCE_ONLY, rest, 0 if stops else group.take_units, group.stop_units if stops else 0,
        0, 0, parent.signal_id,
    )  # fmt: skip
    _log_link(state, group, sub, state.orders.last_id + 1, STOP_LOSS if stops else TAKE_PROFIT)
    leg: Order = state.submit(sub, terms, parent.order_id)
    if leg.is_done():  # refused
        group.given_up |= 1 << leg_type
        if shared > 0:
            holding.add_pending(side, shared, worth)
    else:
        state.log_who(_SYSTEM)
        if other is not None and shared > 0:
            other.unreserved = True
            other.reserve = 0.0
        leg.group_id = group.group_id
        group.legs.append(leg)
        if stops:
            group.stop_asked = rest
        else:
            group.take_asked = rest
    return 0


def _reserve_alone(state: State, sub: Subscription, leg: Order) -> cython.int:
    """The leg that is left reserves for itself."""
    if leg.unreserved:
        leg.unreserved = False
        state.reserve_again(sub, leg, 0)
    return 0


def _ask_cancel(state: State, order: Order) -> cython.int:
    order.reason_code = _LINKED
    state.cancel(order, _SYSTEM)
    return 0


def _log_link(state: State, group: Group, sub: Subscription, order_id: cython.longlong, role: cython.int) -> cython.int:
    """Before a leg is sent, so that who reads its records knows whose it is."""
    parent: cython.longlong = 0 if group.parent is None else group.parent.order_id
    return state.log_plain(LINK, sub.instrument_index, sub.seat_index, order_id, parent, role, group.group_id, 0)
