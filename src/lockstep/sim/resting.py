"""Orders of ours that rest on an order book: their place in the queue, what a trade brings them, and what they show.

Of ours, a hidden order stands behind everything at its price, shown or not: a trade there found all it wanted before it. It is
filled by a trade beyond its price, or when the other side comes to it. Of an iceberg the part that is shown has a place in
the queue; when that is gone the next part joins the end, behind all that then stands at the level, ours too.

The record does not know of ours: who was executed in it although we stood before him has been spared, and still stands before our
next part. Those come first at the next trade, though no book shows them; when they leave is not known.
"""

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.ladder import Ladder
    from cython.cimports.lockstep.sim.desk import Desk
    from cython.cimports.lockstep.sim.liquidity import Liquidity
    from cython.cimports.lockstep.sim.market import Market, VenueOrder
    from cython.cimports.lockstep.sim.queue import QueuePlace
else:
    from lockstep.book.ladder import Ladder
    from lockstep.sim.desk import Desk
    from lockstep.sim.liquidity import Liquidity
    from lockstep.sim.market import Market, VenueOrder
    from lockstep.sim.queue import QueuePlace
from lockstep.sim.placements import NOWHERE

UNSEEN = -0x7FFFFFFFFFFFFFFF
"""The id of an order the book does not have."""
UNSHOWN = -0x7FFFFFFFFFFFFFFE
"""And of one that no book shows."""
_NOWHERE = cython.declare(cython.longlong, NOWHERE)
_HIDDEN = cython.declare(cython.longlong, UNSHOWN)


def is_open(market: Market, depth: Liquidity, ts: cython.longlong) -> cython.bint:
    """Whether anything is matched at ts: the session is open, and the book is of this session and GOOD."""
    if not market.always_open and (not market.is_open(ts) or depth.book.ts < market.session_open):
        return False
    return depth.is_sound(ts)


def join(depth: Liquidity, order: VenueOrder, ts: cython.longlong) -> cython.int:
    """An order comes to rest: at the end of its level's queue."""
    tick: cython.longlong = depth.book.to_tick(order.limit_price)
    own: Ladder = depth.side_of(order.side)
    behind: cython.longlong = _NOWHERE
    if not own.is_empty():
        behind = (own.best - tick) * order.side
    order.place = depth.join(order.side, tick)
    order.tip = order.display if order.display < order.leaves else order.leaves
    order.spared = 0
    order.sparing = 0
    order.placement = depth.placements.add(order.order_id, ts, behind, depth.shown(order.side, tick), order.leaves)
    return 0


def shows_more(order: VenueOrder, other: VenueOrder | None) -> cython.bint:
    """Whether an order goes before an older one of its price: it shows something, and that one nothing."""
    return other is not None and other.display < 0 and order.display >= 0


def use_tip(market: Market, order: VenueOrder, filled: cython.longlong) -> cython.bint:
    """So much of an iceberg was filled. Returns: whether the part that was shown is gone, and another one is.

    That one stands behind the others of ours at its price too, and behind whom the fills of the one before have spared.
    """
    if filled < order.tip or order.leaves == 0:
        order.tip -= filled
        return False
    order.tip = order.display - (filled - order.tip) % order.display
    if order.tip > order.leaves:
        order.tip = order.leaves
    order.spared += order.sparing
    order.sparing = 0
    market.resting.remove(order)
    market.resting.append(order)
    return True


def past_spared(
    order: VenueOrder, reaching: cython.longlong, beyond: cython.bint, shown: cython.bint
) -> cython.longlong:
    """What an iceberg gets of a trade that comes as far as its price's end: those that its fills have spared come first.

    beyond: the trade went beyond its price, so that all of it is there to be filled; else no more than it shows. shown: whoever was
    executed was shown, or nobody says; who was hidden stands behind what is shown, spared or not.
    """
    others: cython.longlong = order.spared if order.spared < reaching else reaching
    order.spared -= others
    reaching -= others
    if not beyond:
        order.sparing += others if shown else 0
        return reaching if reaching < order.tip else order.tip
    others = reaching - order.tip if reaching - order.tip < order.sparing else order.sparing
    if others > 0:
        order.sparing -= others
        reaching -= others
    return reaching


def _renew(
    depth: Liquidity, order: VenueOrder, order_id: cython.longlong, qty: cython.longlong, ts: cython.longlong
) -> cython.int:
    """A trade of so much has emptied what an iceberg showed: the next part joins the end of its level's queue."""
    tick: cython.longlong = depth.book.to_tick(order.limit_price)
    place: QueuePlace = cython.cast(QueuePlace, order.place)
    if place.ids is None and depth.line is None:
        depth.model.renew(place, depth.shown(order.side, tick), depth.orders is not None, ts)
        return 0
    place = depth.join(order.side, tick)
    if depth.model.is_ahead(place, order_id):
        place.ahead += qty  # it was executed in part, and is followed to what it has now only after this
    order.place = place
    return 0


def meet_trade(
    desk: Desk,
    market: Market,
    depth: Liquidity,
    ts: cython.longlong,
    side: cython.int,
    price: cython.longlong,
    qty: cython.longlong,
    order_id: cython.longlong,
) -> cython.int:
    """What was traded reaches our resting orders of a side (0: of either), the best priced first, then the oldest.

    order_id: whose execution it was, in a book of orders; UNSHOWN: of one that it does not show; UNSEEN in a book of levels.
    """
    order: VenueOrder
    best: VenueOrder | None
    beyond: cython.longlong
    top: cython.longlong
    reaching: cython.longlong
    filled: cython.longlong
    left: cython.longlong = qty
    if price <= 0 or len(market.resting) == 0 or not is_open(market, depth, ts):
        return 0
    while True:
        best = None
        top = -1
        for entry in market.resting:
            order = cython.cast(VenueOrder, entry)
            if order.place is None or order.met == market.events or order.basis_ts > ts or order.arrival > ts:
                continue
            if side != 0 and order.side != side:
                continue
            beyond = (order.limit_price - price) * order.side
            if beyond > top or (beyond == top and shows_more(order, best)):
                top = beyond
                best = order
        if best is None:
            return 0
        best.met = market.events
        if top > 0:
            depth.model.passed(cython.cast(QueuePlace, best.place))
            reaching = left
        else:
            reaching = _reaches(depth, best, ts, qty, left, order_id)
        if best.display > 0 and reaching > 0:
            reaching = past_spared(best, reaching, top > 0, order_id != _HIDDEN)
        if reaching > 0:
            filled = desk.fill(market, best, best.limit_price, True, ts, 0.0, reaching)
            left -= filled
            if best.display > 0 and top == 0 and order_id != _HIDDEN:
                best.sparing += filled
            if best.display > 0 and use_tip(market, best, filled) and top == 0:
                _renew(depth, best, order_id, qty, ts)


def _reaches(
    depth: Liquidity,
    order: VenueOrder,
    ts: cython.longlong,
    qty: cython.longlong,
    left: cython.longlong,
    order_id: cython.longlong,
) -> cython.longlong:
    """How much of a trade at its own price reaches an order: what is left of it by ours that come before, less what is ahead."""
    place: QueuePlace = cython.cast(QueuePlace, order.place)
    reaching: cython.longlong = left
    if order.display < 0:
        return 0  # all that was wanted stood before it
    if depth.line is not None:
        tick: cython.longlong = depth.book.to_tick(order.limit_price)
        reaching = depth.model.reach_rebuilt(place, depth.line, order.side, tick, left, ts)
    elif place.ids is None:
        reaching = depth.model.trade(place, qty, left, ts)
    elif order_id == _HIDDEN:
        reaching = depth.model.hidden(place, left)
    elif depth.model.is_ahead(place, order_id):
        return 0
    return reaching
