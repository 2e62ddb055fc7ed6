"""Matching on an order book.

What takes (market orders, triggered stops, limits that reach the other side) walks the book as it stands, level by level, each
at its own price, and what it took is gone for our next order. What rests stands in the queue of its level: a trade at its
price by the other side eats what is ahead of it, then it; a trade beyond its price fills it, and so does a book whose other
side has come to its price. Trades are TRADE records where the book is told by levels, and the executions of resting orders
(MATCH) where it is told by orders; there a TRADE tells only what no execution explains: it was executed against a hidden order,
which stood behind everyone who shows.

A group of changes is one: in between nothing is matched. A book that is not GOOD matches nothing, and what it would have
concerned is counted: an order that arrives waits for the book, one that may not wait ends. So it is after the last of an
instrument's data: nothing says any more that its book still stands.

Best price first, then oldest. An order meets no change and no trade from before its arrival, or from before what its sender
knew (basis_ts); a book that still stands is not from before. Each order acts once at an event.
"""

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.l2 import L2Book
    from cython.cimports.lockstep.book.l3 import L3Book
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.model.rows import EventRows
    from cython.cimports.lockstep.sim.desk import Desk
    from cython.cimports.lockstep.sim.liquidity import Liquidity
    from cython.cimports.lockstep.sim.market import Market, VenueOrder
    from cython.cimports.lockstep.sim.queue import QueuePlace
    from cython.cimports.lockstep.sim.resting import is_open, join, meet_trade, past_spared, shows_more, use_tip
else:
    from lockstep.book.l2 import L2Book
    from lockstep.book.l3 import L3Book
    from lockstep.book.ladder import Ladder
    from lockstep.model.rows import EventRows
    from lockstep.sim.desk import Desk
    from lockstep.sim.liquidity import Liquidity
    from lockstep.sim.market import Market, VenueOrder
    from lockstep.sim.queue import QueuePlace
    from lockstep.sim.resting import is_open, join, meet_trade, past_spared, shows_more, use_tip
from lockstep.model.enums import BookAction, BookState, OrderEventKind, OrderFlag, Reason, TimeInForce
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, BOOK_LAST
from lockstep.sim.resting import UNSEEN, UNSHOWN

_SET = cython.declare(cython.int, int(BookAction.SET))
_ADD = cython.declare(cython.int, int(BookAction.ADD))
_MODIFY = cython.declare(cython.int, int(BookAction.MODIFY))
_DELETE = cython.declare(cython.int, int(BookAction.DELETE))
_CLEAR = cython.declare(cython.int, int(BookAction.CLEAR))
_MATCH = cython.declare(cython.int, int(BookAction.MATCH))
_ACTION_BITS = cython.declare(cython.longlong, BOOK_ACTION)
_FULL_FLAG = cython.declare(cython.longlong, BOOK_FULL)
_LAST_FLAG = cython.declare(cython.longlong, BOOK_LAST)
_GOOD = cython.declare(cython.int, int(BookState.GOOD))
_CANCEL = cython.declare(cython.int, int(OrderEventKind.CANCEL))
_IOC = cython.declare(cython.int, int(TimeInForce.IOC))
_FOK = cython.declare(cython.int, int(TimeInForce.FOK))
_TIME_IN_FORCE = cython.declare(cython.int, int(Reason.TIME_IN_FORCE))
_POST_ONLY_FLAG = cython.declare(cython.int, int(OrderFlag.POST_ONLY))
_FIRST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)  # the rank of an order at any price
_FAR_OFF = cython.declare(cython.longlong, 2**62)
_UNSEEN = cython.declare(cython.longlong, UNSEEN)
_HIDDEN = cython.declare(cython.longlong, UNSHOWN)


# ---- the book is told


@cython.boundscheck(False)  # the caller's row
@cython.wraparound(False)
@cython.initializedcheck(False)
def tell_book(desk: Desk, market: Market, depth: Liquidity, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
    """One BOOK record, at the venue's own time: the book changes, the queues move, and at the end of its group orders meet it."""
    flags: cython.longlong = rows.w[i, 3] >> 8
    if depth.marks.next_due < rows.w[i, 1] and not depth.in_group:
        depth.marks.settle(rows.w[i, 1], depth.middle(), depth.trusted_to())
    if len(market.resting) == 0 and depth.holes == 0:
        if depth.line is not None:
            depth.line.take(rows, i)
        elif depth.levels is not None:
            depth.levels.apply(rows, i, i + 1)
        else:
            if market.trades:
                _note_execution(depth, cython.cast(L3Book, depth.orders), rows, i)
            cython.cast(L3Book, depth.orders).apply(rows, i, i + 1)
    elif depth.levels is not None:
        _tell_level(market, depth, depth.levels, rows, i)
    else:
        _tell_order(desk, market, depth, cython.cast(L3Book, depth.orders), rows, i)
    if not flags & _LAST_FLAG:
        depth.in_group = True
        if len(market.resting) > 0 and depth.book.state != _GOOD:
            return _end_hurried(desk, market, rows.w[i, 1])
        return 0
    depth.in_group = False
    if len(market.resting) > 0:
        if flags & _FULL_FLAG:
            _rejoin(market, depth, rows.w[i, 1])
        if depth.told_levels > 0:
            _look_behind(market, depth, rows.w[i, 1])
        market.events += 1
        match_group(desk, market, depth, rows.w[i, 1])
    return 0


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def tell_group(
    desk: Desk, market: Market, depth: Liquidity, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.int:
    """BOOK records start to stop - 1, of one moment and of which only the last may be the end of a group: as one after another."""
    i: cython.Py_ssize_t = start
    last: cython.Py_ssize_t
    rests: cython.bint = len(market.resting) > 0 or depth.line is not None
    if rests or depth.holes > 0 or depth.marks.next_due < rows.w[start, 1]:
        single: cython.bint = depth.levels is None or depth.holes > 0 or depth.line is not None
        if depth.marks.next_due < rows.w[start, 1] and not depth.in_group:
            depth.marks.settle(rows.w[start, 1], depth.middle(), depth.trusted_to())
        while i < stop:
            last = i if single else _first_of_ours(market, rows, i, stop)
            if last > i:
                cython.cast(L2Book, depth.levels).apply(rows, i, last)
                depth.in_group = True
                if depth.book.state != _GOOD:
                    _end_hurried(desk, market, rows.w[i, 1])
            if last < stop:
                tell_book(desk, market, depth, rows, last)
            i = last + 1
        return 0
    if depth.levels is not None:
        depth.levels.apply(rows, start, stop)
    else:
        orders: L3Book = cython.cast(L3Book, depth.orders)
        if market.trades:
            for i in range(start, stop):
                _note_execution(depth, orders, rows, i)
                orders.apply(rows, i, i + 1)
        else:
            orders.apply(rows, start, stop)
    depth.in_group = not (rows.w[stop - 1, 3] >> 8) & _LAST_FLAG
    return 0


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def _first_of_ours(
    market: Market, rows: EventRows, start: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """The first row from start on that is more than a level at which no order of ours rests; stop without any."""
    order: VenueOrder
    i: cython.Py_ssize_t
    flags: cython.longlong
    side: cython.longlong
    k: cython.Py_ssize_t
    price: cython.longlong
    low: cython.longlong = _FAR_OFF
    high: cython.longlong = -_FAR_OFF
    for k in range(len(market.resting)):
        price = cython.cast(VenueOrder, market.resting[k]).limit_price
        low = min(low, price)
        high = max(high, price)
    for i in range(start, stop):
        flags = rows.w[i, 3] >> 8
        if flags & (_ACTION_BITS | _LAST_FLAG) != _SET:
            return i
        if not low <= rows.w[i, 4] <= high:
            continue
        side = ((rows.w[i, 3] >> 16) & 0xFFFF) - 2
        for k in range(len(market.resting)):
            order = cython.cast(VenueOrder, market.resting[k])
            if order.limit_price == rows.w[i, 4] and order.side == side:
                return i
    return stop


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def _tell_level(market: Market, depth: Liquidity, book: L2Book, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
    """A record of a book of levels, where orders of ours rest or have taken."""
    flags: cython.longlong = rows.w[i, 3] >> 8
    side: cython.int = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF) - 2
    if flags & _ACTION_BITS == _CLEAR:
        depth.cleared(0 if side == -2 else side)
    if flags & _ACTION_BITS != _SET:
        if depth.line is not None:
            depth.line.take(rows, i)
        else:
            book.apply(rows, i, i + 1)
        return 0
    tick: cython.longlong = book.to_tick(rows.w[i, 4])
    ladder: Ladder = depth.side_of(side)
    before: cython.longlong = ladder.at(tick)
    if depth.line.take(rows, i) if depth.line is not None else book.apply(rows, i, i + 1):
        return 0
    if depth.holes > 0:
        depth.told(side, tick)
    if not flags & _FULL_FLAG and depth.line is None:
        _move_queue(market, depth, side, tick, before, rows.w[i, 5], rows.w[i, 1])
    return 0


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def _note_execution(depth: Liquidity, book: L3Book, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
    """A record of a book of orders that none of ours can meet: its trade may be told when one of ours has come, and is no other."""
    if (rows.w[i, 3] >> 8) & _ACTION_BITS != _MATCH:
        return 0
    slot: cython.int = book.ids.find(rows.w[i, 6])
    if slot < 0:
        side: cython.int = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF) - 2
        return depth.executed(side, book.to_tick(rows.w[i, 4]), rows.w[i, 5], rows.w[i, 1])
    level: cython.int = book.level_of[slot]
    return depth.executed(book.level_side[level], book.level_tick[level], rows.w[i, 5], rows.w[i, 1])


def _move_queue(
    market: Market,
    depth: Liquidity,
    side: cython.int,
    tick: cython.longlong,
    before: cython.longlong,
    after: cython.longlong,
    ts: cython.longlong,
) -> cython.int:
    """A level has another quantity: our places in its queue."""
    order: VenueOrder
    price: cython.longlong = tick * depth.book.tick
    for entry in market.resting:
        order = cython.cast(VenueOrder, entry)
        if order.limit_price == price and order.side == side and order.place is not None and not order.place.unseen:
            depth.model.told(order.place, before, after, ts)
    return 0


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def _tell_order(
    desk: Desk, market: Market, depth: Liquidity, book: L3Book, rows: EventRows, i: cython.Py_ssize_t
) -> cython.int:
    """A record of a book of orders, where orders of ours rest or have taken."""
    flags: cython.longlong = rows.w[i, 3] >> 8
    action: cython.int = cython.cast(cython.int, flags & _ACTION_BITS)
    side: cython.int = cython.cast(cython.int, (rows.w[i, 3] >> 16) & 0xFFFF) - 2
    order_id: cython.longlong = rows.w[i, 6]
    if action == _CLEAR:
        depth.cleared(0)
    if action != _MATCH and action != _DELETE and action != _MODIFY and action != _ADD:
        book.apply(rows, i, i + 1)
        return 0
    slot: cython.int = -1 if action == _ADD else book.ids.find(order_id)
    tick: cython.longlong = book.to_tick(rows.w[i, 4])
    had: cython.longlong = 0
    if slot >= 0:
        side = book.level_side[book.level_of[slot]]
        tick = book.level_tick[book.level_of[slot]]
        had = book.qty_of[slot]
    before: cython.longlong = 0 if flags & _FULL_FLAG else depth.shown(side, tick)
    if action == _MATCH:
        depth.executed(side, tick, rows.w[i, 5], rows.w[i, 1])
    if book.apply(rows, i, i + 1):
        return 0
    if flags & _FULL_FLAG:
        return 0
    if action == _MATCH:
        market.events += 1
        meet_trade(desk, market, depth, rows.w[i, 1], side, tick * book.tick, rows.w[i, 5], order_id)
    if slot >= 0:
        _follow(market, depth, book, order_id, side, tick, had)
    after: cython.longlong = depth.shown(side, tick)
    if after < before and depth.holes > 0:
        depth.gone(side, tick, before - after)
    if not depth.model.follows_ids() and after != before:
        _move_queue(market, depth, side, tick, before, after, rows.w[i, 1])
    return 0


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.initializedcheck(False)
def _follow(
    market: Market,
    depth: Liquidity,
    book: L3Book,
    order_id: cython.longlong,
    side: cython.int,
    tick: cython.longlong,
    had: cython.longlong,
) -> cython.int:
    """An order of the book was changed: whether it still stands ahead of ours, and with how much."""
    order: VenueOrder
    place: QueuePlace
    price: cython.longlong = tick * book.tick
    slot: cython.int = book.ids.find(order_id)
    has: cython.longlong = 0
    if slot >= 0 and book.level_side[book.level_of[slot]] == side and book.level_tick[book.level_of[slot]] == tick:
        has = book.qty_of[slot]
    for entry in market.resting:
        order = cython.cast(VenueOrder, entry)
        if order.limit_price != price or order.side != side or order.place is None:
            continue
        place = order.place
        if depth.model.is_ahead(place, order_id):
            if 0 < has <= had:
                depth.model.shrink(place, had - has)
            else:  # gone, to another price, or to the end of the queue since it has become larger
                depth.model.leave(place, order_id, had)
    return 0


def _rejoin(market: Market, depth: Liquidity, ts: cython.longlong) -> cython.int:
    """A full book has come: our places in its queues."""
    order: VenueOrder
    for entry in market.resting:
        order = cython.cast(VenueOrder, entry)
        if order.place is not None:
            depth.rejoin(order.place, order.side, depth.book.to_tick(order.limit_price), ts)
    return 0


def _look_behind(market: Market, depth: Liquidity, ts: cython.longlong) -> cython.int:
    """A group of changes is complete: levels of ours may have come in sight, or lie behind those that are told."""
    order: VenueOrder
    for entry in market.resting:
        order = cython.cast(VenueOrder, entry)
        if order.place is not None:
            depth.look(order.place, order.side, depth.book.to_tick(order.limit_price), ts)
    return 0


# ---- orders meet the book


def arrive_at_book(desk: Desk, market: Market, depth: Liquidity, order: VenueOrder, ts: cython.longlong) -> cython.int:
    """An order, or more of it, has arrived at ts: it meets the book that stands, unless its sender knew something later still."""
    if order.basis_ts > ts:
        return 0
    depth.missed_at = 0  # an arrival is an event of its own
    if order.waiting:
        price: cython.longlong = 0 if market.trades or depth.in_group else depth.touch(order.side, ts)
        if price == 0 or not is_open(market, depth, ts) or not desk.sets_off(market, order, price):
            return 0
        desk.trigger(order, ts)
    return _meet_book(desk, market, depth, order, ts)


def _may_wait(order: VenueOrder) -> cython.bint:
    """Whether an order that got nothing, or not all, waits for more."""
    return bool(order.time_in_force != _IOC and order.time_in_force != _FOK)


def _end_hurried(desk: Desk, market: Market, ts: cython.longlong) -> cython.int:
    """Nothing can be matched now: what may not wait ends, lest it takes from a book of much later."""
    order: VenueOrder
    for entry in market.resting[:]:
        order = cython.cast(VenueOrder, entry)
        if not (order.waiting or _may_wait(order) or order.basis_ts > ts or order.arrival > ts):
            desk.end(market, order, _CANCEL, _TIME_IN_FORCE, ts)
    return 0


def match_group(desk: Desk, market: Market, depth: Liquidity, ts: cython.longlong) -> cython.int:
    """The book has changed: stops that watch it, then every order that it does something to."""
    order: VenueOrder
    best: VenueOrder | None
    price: cython.longlong
    rank: cython.longlong
    top: cython.longlong
    if not is_open(market, depth, ts):
        return _end_hurried(desk, market, ts)
    if depth.holes > 0:
        depth.recover(ts)
    if not market.trades:
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.waiting and order.basis_ts <= ts and order.arrival <= ts:
                price = depth.touch(order.side, ts)
                if price > 0 and desk.sets_off(market, order, price):
                    desk.trigger(order, ts)
    while True:
        best = None
        top = -1
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.waiting or order.met == market.events or order.basis_ts > ts or order.arrival > ts:
                continue
            rank = _book_rank(depth, order, ts)
            if rank > top or (rank == top and shows_more(order, best)):
                top = rank
                best = order
        if best is None:
            return 0
        _meet_book(desk, market, depth, best, ts)


def _book_rank(depth: Liquidity, order: VenueOrder, ts: cython.longlong) -> cython.longlong:
    """How far in front an order stands for the present book: its distance from the price; -1 where nothing happens."""
    price: cython.longlong = depth.touch(order.side, ts)
    if order.limit_price == 0:
        return _FIRST if price > 0 else -1 if _may_wait(order) else 0
    beyond: cython.longlong = (order.limit_price - price) * order.side
    if price == 0 or beyond < 0:
        return 0 if order.fresh or order.place is None else -1  # it takes nothing and rests from now on
    return beyond


def _meet_book(desk: Desk, market: Market, depth: Liquidity, order: VenueOrder, ts: cython.longlong) -> cython.int:
    """What an order that waits for nothing does at the standing book."""
    if depth.in_group and (depth.book.state == _GOOD or _may_wait(order)):
        return 0
    price: cython.longlong = 0
    if is_open(market, depth, ts):
        price = depth.touch(order.side, ts)
        order.met = market.events
    elif _may_wait(order):
        return 0  # it waits for a book that can be trusted
    if price > 0 and (order.limit_price == 0 or (order.limit_price - price) * order.side >= 0):
        if not order.fresh:
            _be_taken(desk, market, depth, order, ts)
        elif order.flags & _POST_ONLY_FLAG:
            return desk.refuse_to_take(market, order, ts)
        else:
            _walk(desk, market, depth, order, ts)
    if order.leaves == 0:
        return 0
    if not _may_wait(order):
        return desk.end(market, order, _CANCEL, _TIME_IN_FORCE, ts)
    if order.limit_price > 0:
        order.fresh = False
        if order.place is None:
            join(depth, order, ts)
    return 0


def _walk(desk: Desk, market: Market, depth: Liquidity, order: VenueOrder, ts: cython.longlong) -> cython.int:
    """An order takes the other side, best level first, each at its own price, as far as its limit reaches."""
    wanted: cython.longlong = desk.allowed(market, order, ts)
    if wanted == 0:
        return 0
    side: cython.int = order.side
    if order.time_in_force == _FOK and depth.reach(side, order.limit_price, wanted, market.lot, ts) < wanted:
        return 0
    market.bid = depth.touch(-1, ts)
    market.ask = depth.touch(1, ts)
    ladder: Ladder = depth.side_of(-side)
    tick: cython.longlong = ladder.best
    price: cython.longlong
    qty: cython.longlong
    while wanted > 0 and -_FAR_OFF < tick < _FAR_OFF:
        price = tick * depth.book.tick
        if order.limit_price > 0 and (order.limit_price - price) * side < 0:
            return 0
        qty = depth.left(-side, tick, ts)
        qty = wanted if qty >= wanted else qty - qty % market.lot
        if qty > 0:
            depth.take(-side, tick, qty, ts)
            wanted -= qty
            desk.execute(market, order, price, False, ts, depth.shown(-side, tick) / market.qty_scale, qty)
        tick = ladder.worse_than(tick)
    return 0


def _be_taken(desk: Desk, market: Market, depth: Liquidity, order: VenueOrder, ts: cython.longlong) -> cython.int:
    """The other side of the book has come to a resting order: it is filled at its price by what is there."""
    side: cython.int = order.side
    wanted: cython.longlong = order.leaves + order.spared + order.sparing
    room: cython.longlong = depth.reach(side, order.limit_price, wanted, 1, ts)
    spared: cython.longlong = 0
    if order.display > 0:
        spared = room - past_spared(order, room, True, True)
    filled: cython.longlong = desk.fill(market, order, order.limit_price, True, ts, 0.0, room - spared)
    if order.display > 0:
        use_tip(market, order, filled)
        filled += spared
    ladder: Ladder = depth.side_of(-side)
    tick: cython.longlong = ladder.best
    qty: cython.longlong
    while filled > 0:
        qty = min(filled, depth.left(-side, tick, ts))
        if qty > 0:
            depth.take(-side, tick, qty, ts)
            filled -= qty
        tick = ladder.worse_than(tick)
    return 0


# ---- trades


def match_print(
    desk: Desk,
    market: Market,
    depth: Liquidity,
    ts: cython.longlong,
    price: cython.longlong,
    qty: cython.longlong,
    aggressor: cython.int,
) -> cython.int:
    """A trade printed: stops first, then every order that it fills. aggressor: +1, -1, or 0 where it is not known."""
    order: VenueOrder
    k: cython.Py_ssize_t = 0
    while k < len(market.resting):
        order = cython.cast(VenueOrder, market.resting[k])
        if order.basis_ts <= ts and order.arrival <= ts:
            if order.waiting:
                if desk.sets_off(market, order, price):
                    desk.trigger(order, ts)
                    order.met = market.events
                    _meet_book(desk, market, depth, order, ts)
            elif order.met == 0:
                _meet_book(desk, market, depth, order, ts)
        if k < len(market.resting) and market.resting[k] is order:
            k += 1  # still there; else the next one has taken its place
    if depth.levels is not None and qty > 0:
        return meet_trade(desk, market, depth, ts, -aggressor, price, qty, _UNSEEN)
    if qty > 0:
        hidden: cython.longlong = depth.hidden_of(-aggressor, price, qty, ts)
        if hidden > 0:
            return meet_trade(desk, market, depth, ts, -aggressor, price, hidden, _HIDDEN)
    return 0
