"""What goes between the engine and a venue, as C records: requests out, reports back. One shape for every venue.

The frozen Structs of `model.messages` are built from these where somebody reads them.
"""

import cython


@cython.final
@cython.no_gc
@cython.freelist(64)
@cython.cclass
class OrderRequest:
    """A command to a venue. kind: OrderEventKind.SUBMIT or CANCEL_REQUEST.

    ts: the engine's clock when it was sent. basis_ts: the venue time of the event it answers; a simulated venue lets it
    meet no price older than that. qty, limit_price, stop_price: the instrument's units, 0 where there is none.
    """

    kind: cython.int
    strategy: cython.int
    instrument: cython.int
    ts: cython.longlong
    basis_ts: cython.longlong
    order_id: cython.longlong
    side: cython.int
    order_type: cython.int
    time_in_force: cython.int
    qty: cython.longlong
    limit_price: cython.longlong
    stop_price: cython.longlong
    expire_ts: cython.longlong

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always."""
        raise TypeError("a OrderRequest is made by make_request(), which sets every field")


@cython.final
@cython.no_gc  # the fee is an int: no cycle is possible
@cython.freelist(64)
@cython.cclass
class VenueReport:
    """A venue's word about one of our orders: an execution report in C fields.

    clock: when the engine learns of it; ts_event: when it happened at the venue. kind: an OrderEventKind; both PARTIAL
    and FILL may say FILL, the order table knows what is left. qty, price: of a fill. reference_price: what a fill would
    have cost without slippage. fee: an int in ledger units. limit_price, stop_price, qty: the new ones of a RESTATE.
    """

    kind: cython.int
    instrument: cython.int
    reason: cython.int
    liquidity: cython.int
    clock: cython.longlong
    ts_event: cython.longlong
    seq: cython.longlong
    order_id: cython.longlong
    venue_order_id: cython.longlong
    exec_id: cython.longlong
    qty: cython.longlong
    price: cython.longlong
    reference_price: cython.longlong
    limit_price: cython.longlong
    stop_price: cython.longlong
    fee: int

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always."""
        raise TypeError("a VenueReport is made by make_report(), which sets every field")


def make_request(
    kind: cython.int,
    strategy: cython.int,
    instrument: cython.int,
    ts: cython.longlong,
    basis_ts: cython.longlong,
    order_id: cython.longlong,
    side: cython.int,
    order_type: cython.int,
    time_in_force: cython.int,
    qty: cython.longlong,
    limit_price: cython.longlong,
    stop_price: cython.longlong,
    expire_ts: cython.longlong,
) -> OrderRequest:
    """A request with every field set."""
    request: OrderRequest = OrderRequest.__new__(OrderRequest)
    request.kind = kind
    request.strategy = strategy
    request.instrument = instrument
    request.ts = ts
    request.basis_ts = basis_ts
    request.order_id = order_id
    request.side = side
    request.order_type = order_type
    request.time_in_force = time_in_force
    request.qty = qty
    request.limit_price = limit_price
    request.stop_price = stop_price
    request.expire_ts = expire_ts
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
    report.liquidity = 0
    report.qty = 0
    report.price = 0
    report.reference_price = 0
    report.limit_price = 0
    report.stop_price = 0
    report.fee = 0
    return report
