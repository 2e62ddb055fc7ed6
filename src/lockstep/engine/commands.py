"""A request to the venue as the frozen fact that whoever drives the engine step by step is given."""

from lockstep.model.enums import OrderEventKind, OrderFlag, OrderType, Side, TimeInForce
from lockstep.model.messages import CancelOrder, Command, ReplaceOrder, SubmitOrder
from lockstep.model.numbers import Nanos, Price, Qty
from lockstep.model.traffic import OrderRequest


def command_of(request: OrderRequest, strategy: str, instrument: str) -> Command:
    """What a request asks for. strategy, instrument: their names."""
    terms = request.terms
    if terms is None:
        return CancelOrder(
            ts=Nanos(request.ts), client_order_id=request.order_id, strategy=strategy, instrument=instrument
        )
    if request.kind == OrderEventKind.REPLACE_REQUEST:
        return ReplaceOrder(
            ts=Nanos(request.ts),
            client_order_id=request.order_id,
            revision=request.revision,
            replaces=request.replaces,
            strategy=strategy,
            instrument=instrument,
            qty=Qty(terms.qty),
            limit_price=Price(terms.limit_price),
            stop_price=Price(terms.stop_price),
        )
    return SubmitOrder(
        ts=Nanos(request.ts),
        client_order_id=request.order_id,
        strategy=strategy,
        instrument=instrument,
        side=Side(terms.side),
        order_type=OrderType(terms.order_type),
        time_in_force=TimeInForce(terms.time_in_force),
        qty=Qty(terms.qty),
        limit_price=Price(terms.limit_price),
        stop_price=Price(terms.stop_price),
        expire_ts=Nanos(terms.expire_ts),
        signal_id=terms.signal_id,
        flags=OrderFlag(terms.flags),
        trail=terms.trail,
        display_qty=Qty(max(terms.display, 0)) if terms.display else None,
    )
