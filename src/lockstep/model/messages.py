"""What passes between the engine and the world, as frozen facts: commands out, order events and signals.

Inside the engine the same things are C records; these are built where somebody reads them. Prices and quantities are
the instrument's units; times are ns UTC; ids are counters of the run, so that a replay gives the same ones.
"""

import msgspec

from lockstep.model.enums import (
    Liquidity,
    OrderEventKind,
    OrderFlag,
    OrderState,
    OrderType,
    Reason,
    Side,
    SignalAction,
    TimeInForce,
)
from lockstep.model.numbers import Nanos, Price, Qty

MESSAGE_SCHEMA_VERSION = 1


class Signal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A piece of advice with its reasons (R010); orders point back to it by `signal_id`.

    confidence: 0 to 1. target_price, stop_price: quote currency, None where the strategy names none.
    """

    signal_id: int
    ts: Nanos
    strategy: str
    symbol: str
    action: SignalAction
    confidence: float
    target_price: float | None = None
    stop_price: float | None = None
    reasoning: str = ""


class SubmitOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Send a new order. limit_price, stop_price: 0 where the type has none. expire_ts: for GTD.

    flags: what it may not do. trail: of a TRAILING_STOP, price units, or millionths of the price with TRAIL_PPM. display_qty: how
    much of it is shown at a time (FIX DisplayQty), 0 for nothing; None shows all.
    """

    ts: Nanos
    client_order_id: int
    strategy: str
    instrument: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    qty: Qty
    limit_price: Price
    stop_price: Price
    expire_ts: Nanos
    signal_id: int
    flags: OrderFlag = OrderFlag(0)
    trail: int = 0
    display_qty: Qty | None = None


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask the venue to cancel what is left of an order."""

    ts: Nanos
    client_order_id: int
    strategy: str
    instrument: str


class ReplaceOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask the venue to replace an open order. qty: the new total, what is filled included (FIX OrderQty).

    revision: of the order the request makes, with the id the new ClOrdID; replaces: what it is made from, the OrigClOrdID.
    """

    ts: Nanos
    client_order_id: int
    revision: int
    replaces: int
    strategy: str
    instrument: str
    qty: Qty
    limit_price: Price
    stop_price: Price


Command = SubmitOrder | CancelOrder | ReplaceOrder


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happened to one of our orders, after it was applied.

    ts: when the engine learned of it; ts_event: when it happened at the venue. state, cum_qty, leaves_qty: after it.
    reason: why, for DENY, REJECT, CANCEL, EXPIRE and RESTATE.
    """

    ts: Nanos
    ts_event: Nanos
    client_order_id: int
    venue_order_id: int
    strategy: str
    symbol: str
    kind: OrderEventKind
    state: OrderState
    side: Side
    qty: Qty
    cum_qty: Qty
    leaves_qty: Qty
    reason: Reason = Reason.NONE


class Fill(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One execution of ours.

    price, qty, fee, slippage: floats for reading (quote currency, base units, settlement currency); *_units: exact.
    slippage: how much worse than the reference price this fill was, in money, at or above 0. spread_cost: what half the
    spread of the quote it took from was worth, in money; 0.0 for a maker, and where no quote stood.
    """

    ts: Nanos
    ts_event: Nanos
    exec_id: int
    client_order_id: int
    strategy: str
    symbol: str
    side: Side
    price: float
    qty: float
    price_units: Price
    qty_units: Qty
    leaves_qty: Qty
    fee: float
    slippage: float
    liquidity: Liquidity
    spread_cost: float = 0.0


class Timer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A timer that a strategy set, now due."""

    ts: Nanos
    name: str
    strategy_index: int = -1
