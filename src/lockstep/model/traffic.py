"""What goes between the engine and a venue, as C records: requests out, reports back. One shape for every venue.

The frozen Structs of `model.messages` are built from these where somebody reads them.
"""

from typing import Any

import cython

from lockstep.model.enums import Liquidity

_TAKER = cython.declare(cython.int, int(Liquidity.TAKER))
HIDDEN = -1
"""The display of an order of which nothing is shown."""


@cython.final
@cython.no_gc
@cython.freelist(64)
@cython.cclass
class OrderTerms:
    """What is asked of an order, in checked units: the same for the gate, the order table and the venue.

    side: +1 or -1. order_type, time_in_force, flags: numbers of the enums. qty, limit_price, stop_price: the instrument's
    units, 0 where there is none. trail: of a TRAILING_STOP, price units, or millionths of the price with TRAIL_PPM.
    expire_ts: of GTD, ns UTC. signal_id: the signal it acts on, or 0. display: how much of it is shown at a time, units; 0 all,
    HIDDEN nothing.
    """

    side: cython.int
    order_type: cython.int
    time_in_force: cython.int
    flags: cython.int
    qty: cython.longlong
    limit_price: cython.longlong
    stop_price: cython.longlong
    trail: cython.longlong
    expire_ts: cython.longlong
    signal_id: cython.longlong
    display: cython.longlong

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always."""
        raise TypeError("OrderTerms are made by make_terms(), which sets every field")


@cython.final
@cython.no_gc  # its terms hold numbers alone: no cycle is possible
@cython.freelist(64)
@cython.cclass
class OrderRequest:
    """A command to a venue. kind: OrderEventKind.SUBMIT or REPLACE_REQUEST, with terms, or CANCEL_REQUEST, without.

    The terms of a replacement are the whole order as it is to be: qty is the new total, what is filled included.
    revision: of the order as it is to be, never used before; replaces: the one it is made from.

    ts: the engine's clock when it was sent. basis_ts: the venue time of the event it answers; a simulated venue lets it
    meet no price older than that.
    """

    kind: cython.int
    strategy: cython.int
    instrument: cython.int
    revision: cython.int
    replaces: cython.int
    ts: cython.longlong
    basis_ts: cython.longlong
    order_id: cython.longlong
    terms: OrderTerms | None

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always."""
        raise TypeError("an OrderRequest is made by make_request(), which sets every field")


@cython.final
@cython.no_gc  # the fee is an int: no cycle is possible
@cython.freelist(64)
@cython.cclass
class VenueReport:
    """A venue's word about one of our orders: an execution report in C fields.

    clock: when the engine learns of it; ts_event: when it happened at the venue. kind: an OrderEventKind; both PARTIAL
    and FILL may say FILL, the order table knows what is left. qty, price: of a fill. reference_price: what a fill would
    have cost without slippage. spread: ask less bid of the quote that a fill took from, price units, 0 where no quote with
    two sides stood. fee: an int in ledger units. exec_id: the venue's number of an execution, once in all time; 0 where it
    gives none, and then a repeat cannot be told from a second fill. ref_exec_id: of a CORRECT or BUST, the execution it is
    about; a CORRECT gives the quantity, price and fee that stand now. limit_price, stop_price, qty: the new ones of a RESTATE (qty: what is
    left) or REPLACE (qty: the total); a restated trailing stop has its trail as stop_price. revision: of the replacement
    that a REPLACE or REPLACE_REJECT answers, 0 where the venue does not say.
    """

    kind: cython.int
    instrument: cython.int
    reason: cython.int
    liquidity: cython.int
    revision: cython.int
    clock: cython.longlong
    ts_event: cython.longlong
    seq: cython.longlong
    order_id: cython.longlong
    venue_order_id: cython.longlong
    exec_id: cython.longlong
    ref_exec_id: cython.longlong
    qty: cython.longlong
    price: cython.longlong
    reference_price: cython.longlong
    spread: cython.longlong
    limit_price: cython.longlong
    stop_price: cython.longlong
    fee: int

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always."""
        raise TypeError("a VenueReport is made by make_report(), which sets every field")


def make_terms(
    side: cython.int,
    order_type: cython.int,
    time_in_force: cython.int,
    flags: cython.int,
    qty: cython.longlong,
    limit_price: cython.longlong,
    stop_price: cython.longlong,
    trail: cython.longlong,
    expire_ts: cython.longlong,
    signal_id: cython.longlong,
    display: cython.longlong = 0,
) -> OrderTerms:
    """Terms with every field set."""
    terms: OrderTerms = OrderTerms.__new__(OrderTerms)
    terms.side = side
    terms.order_type = order_type
    terms.time_in_force = time_in_force
    terms.flags = flags
    terms.qty = qty
    terms.limit_price = limit_price
    terms.stop_price = stop_price
    terms.trail = trail
    terms.expire_ts = expire_ts
    terms.signal_id = signal_id
    terms.display = display
    return terms


def split_display(display: cython.longlong, new_shares: Any, old_shares: Any, lot: cython.longlong) -> cython.longlong:
    """What is shown of an order after a split: scaled down to a lot, and a lot at least; all and nothing stay."""
    if display <= 0:
        return display
    wide: cython.py_int = display  # a Python int: the product may pass 64 bits
    scaled = wide * new_shares // old_shares
    shown: cython.longlong = scaled - scaled % lot
    return shown if shown > lot else lot


def make_request(
    kind: cython.int,
    strategy: cython.int,
    instrument: cython.int,
    ts: cython.longlong,
    basis_ts: cython.longlong,
    order_id: cython.longlong,
    terms: OrderTerms | None,
    revision: cython.int = 0,
    replaces: cython.int = 0,
) -> OrderRequest:
    """A request with every field set."""
    request: OrderRequest = OrderRequest.__new__(OrderRequest)
    request.kind = kind
    request.strategy = strategy
    request.instrument = instrument
    request.ts = ts
    request.basis_ts = basis_ts
    request.order_id = order_id
    request.terms = terms
    request.revision = revision
    request.replaces = replaces
    return request


def make_report(
    kind: cython.int,
    instrument: cython.int,
    clock: cython.longlong,
    ts_event: cython.longlong,
    order_id: cython.longlong,
    venue_order_id: cython.longlong,
    reason: cython.int,
) -> VenueReport:
    """A report about an order's state; a fill's or restatement's own fields start at 0."""
    report: VenueReport = VenueReport.__new__(VenueReport)
    report.kind = kind
    report.instrument = instrument
    report.clock = clock
    report.ts_event = ts_event
    report.order_id = order_id
    report.venue_order_id = venue_order_id
    report.reason = reason
    report.seq = 0
    report.exec_id = 0
    report.ref_exec_id = 0
    report.liquidity = 0
    report.revision = 0
    report.qty = 0
    report.price = 0
    report.reference_price = 0
    report.spread = 0
    report.limit_price = 0
    report.stop_price = 0
    report.fee = 0
    return report


def make_fill(
    kind: cython.int,
    instrument: cython.int,
    clock: cython.longlong,
    ts_event: cython.longlong,
    order_id: cython.longlong,
    venue_order_id: cython.longlong,
    exec_id: cython.longlong,
    qty: cython.longlong,
    price: cython.longlong,
    fee: Any,
    ref_exec_id: cython.longlong = 0,
) -> VenueReport:
    """A report of an execution: PARTIAL, FILL, CORRECT or BUST. fee: ledger units, an int. Its reference price is its price."""
    report: VenueReport = make_report(kind, instrument, clock, ts_event, order_id, venue_order_id, 0)
    report.exec_id = exec_id
    report.ref_exec_id = ref_exec_id
    report.qty = qty
    report.price = price
    report.reference_price = price
    report.liquidity = _TAKER
    report.fee = fee
    return report
