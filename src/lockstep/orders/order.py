"""Orders as the engine keeps them, and the one place that moves them along the state table."""

from decimal import Decimal

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderTerms
else:
    from lockstep.model.traffic import OrderTerms
from lockstep.model.enums import OrderEventKind, OrderFlag, OrderState, OrderType, Reason, Side, TimeInForce
from lockstep.model.errors import InvariantError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import MONEY
from lockstep.orders.table import ANOMALY, IMPOSSIBLE, RESUME, TERMINAL, flat_table

# The table as flat C arrays: an Enum lookup inside the order path costs more than the rest of it.
NEXT = cython.declare(cython.schar[208])  # type: ignore[misc, valid-type]
FINISHED = cython.declare(cython.schar[13])  # type: ignore[misc, valid-type]
if len(OrderState) * len(OrderEventKind) != 208 or len(OrderState) != 13:
    raise InvariantError("the order table's size changed: adapt NEXT and FINISHED in orders/order.py")
for _index, _value in enumerate(flat_table()):
    NEXT[_index] = _value
for _state in OrderState:
    FINISHED[int(_state)] = int(_state in TERMINAL)

_EVENTS = cython.declare(cython.int, len(OrderEventKind))
_ACCEPT = cython.declare(cython.int, int(OrderEventKind.ACCEPT))
_TRIGGER = cython.declare(cython.int, int(OrderEventKind.TRIGGER))
_PENDING_NEW = cython.declare(cython.int, int(OrderState.PENDING_NEW))
_TRIGGERED = cython.declare(cython.int, int(OrderState.TRIGGERED))
_PARTIAL = cython.declare(cython.int, int(OrderEventKind.PARTIAL))
_FILL = cython.declare(cython.int, int(OrderEventKind.FILL))
_RESTATE = cython.declare(cython.int, int(OrderEventKind.RESTATE))
_PENDING_CANCEL = cython.declare(cython.int, int(OrderState.PENDING_CANCEL))
_PENDING_REPLACE = cython.declare(cython.int, int(OrderState.PENDING_REPLACE))
_TRAILING = cython.declare(cython.int, int(OrderType.TRAILING_STOP))
_UNKNOWN = cython.declare(cython.int, int(OrderState.UNKNOWN))
_ACKNOWLEDGED = cython.declare(cython.int, int(OrderState.ACKNOWLEDGED))
_PARTIAL_FILL = cython.declare(cython.int, int(OrderState.PARTIAL_FILL))
_ANOMALY = cython.declare(cython.int, ANOMALY)
_IMPOSSIBLE = cython.declare(cython.int, IMPOSSIBLE)
_RESUME = cython.declare(cython.int, RESUME)


@cython.final
@cython.no_gc  # holds an Instrument, a name and an int: no cycle is possible
@cython.freelist(64)
@cython.cclass
class Order:
    """One order of ours; strategies read it, only `OpenOrders` changes it.

    *_units: the instrument's units; limit_units, stop_units: 0 where the type has none. trail_units: of a trailing stop,
    price units, or millionths of the price where flags say TRAIL_PPM. notional_units: sum of price x quantity of its fills, an unbounded int; with cum_units it is the exact average price. reserve: worth of what
    may still fill, currency, at the price it was checked at.
    """

    order_id: cython.longlong
    venue_order_id: cython.longlong
    qty_units: cython.longlong
    cum_units: cython.longlong
    limit_units: cython.longlong
    stop_units: cython.longlong
    trail_units: cython.longlong
    expire_ts: cython.longlong
    signal_id: cython.longlong
    ts_sent: cython.longlong
    owner_index: cython.int
    strategy_index: cython.int
    instrument_index: cython.int
    side_sign: cython.int
    type_code: cython.int
    tif_code: cython.int
    flag_bits: cython.int
    state_code: cython.int
    reason_code: cython.int
    instrument: Instrument
    strategy: str
    notional_units: int
    resume_code: cython.int
    reserve: cython.double

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always."""
        raise TypeError("an Order is what buy, sell or order returned; it cannot be made empty")

    def is_done(self) -> cython.bint:
        return bool(FINISHED[self.state_code] != 0)

    @property
    def id(self) -> int:
        """The client order id: a counter of the run."""
        return self.order_id

    @property
    def state(self) -> OrderState:
        """Where it stands."""
        return OrderState(self.state_code)

    @property
    def is_open(self) -> bool:
        """True until a final state."""
        return bool(FINISHED[self.state_code] == 0)

    @property
    def side(self) -> Side:
        """BUY or SELL."""
        return Side(self.side_sign)

    @property
    def order_type(self) -> OrderType:
        """MARKET, LIMIT, STOP, STOP_LIMIT or TRAILING_STOP."""
        return OrderType(self.type_code)

    @property
    def time_in_force(self) -> TimeInForce:
        """DAY, GTC, GTD, IOC or FOK."""
        return TimeInForce(self.tif_code)

    @property
    def reason(self) -> Reason:
        """Why it was denied, rejected, cancelled or expired."""
        return Reason(self.reason_code)

    @property
    def leaves_units(self) -> int:
        """What may still fill: quantity less fills while open, else 0."""
        return 0 if FINISHED[self.state_code] else self.qty_units - self.cum_units

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        symbol: str = self.instrument.symbol
        return symbol

    @property
    def qty(self) -> float:
        """Ordered quantity, base units."""
        return float(self.qty_units / 10.0**self.instrument.qty_decimals)

    @property
    def filled(self) -> float:
        """Filled quantity, base units."""
        return float(self.cum_units / 10.0**self.instrument.qty_decimals)

    @property
    def leaves(self) -> float:
        """What may still fill, base units; 0.0 when done."""
        return float(self.leaves_units / 10.0**self.instrument.qty_decimals)

    @property
    def limit_price(self) -> float | None:
        """Limit, quote currency; None where the type has none."""
        return self.limit_units / 10.0**self.instrument.price_decimals if self.limit_units else None

    @property
    def stop_price(self) -> float | None:
        """Stop, quote currency; None where the type has none."""
        return self.stop_units / 10.0**self.instrument.price_decimals if self.stop_units else None

    @property
    def trail(self) -> float | None:
        """How far a trailing stop stays behind the best price, quote currency; None where it is no price distance."""
        if self.trail_units == 0 or self.flag_bits & int(OrderFlag.TRAIL_PPM):
            return None
        return float(self.trail_units / 10.0**self.instrument.price_decimals)

    @property
    def trail_bps(self) -> float | None:
        """How far a trailing stop stays behind the best price, hundredths of a percent of it; None where it is none."""
        return self.trail_units / 100 if self.flag_bits & int(OrderFlag.TRAIL_PPM) else None

    @property
    def post_only(self) -> bool:
        """Whether it may only rest."""
        return bool(self.flag_bits & int(OrderFlag.POST_ONLY))

    @property
    def reduce_only(self) -> bool:
        """Whether it may only reduce its strategy's position."""
        return bool(self.flag_bits & int(OrderFlag.REDUCE_ONLY))

    @property
    def average_price(self) -> Decimal | None:
        """Average fill price, quote currency, down to 12 more decimals than the instrument's; None before a fill."""
        if self.cum_units == 0:
            return None
        units = (self.notional_units * 10**12) // self.cum_units
        return MONEY.scaleb(Decimal(units), -12 - self.instrument.price_decimals)

    def __repr__(self) -> str:
        return (
            f"Order({self.order_id} {self.side.name} {self.instrument.qty_text(self.qty_units)} {self.symbol} "
            f"{self.order_type.name} {self.state.name}, filled {self.instrument.qty_text(self.cum_units)})"
        )


@cython.final
@cython.overflowcheck(True)  # a sum beyond 64 bits raises instead of wrapping
@cython.cclass
class OpenOrders:
    """Every order that is not done, by client order id, and the counters behind the ids.

    by_id: open orders alone; what is done lives on in the decision log. anomalies, ignored: (state, event) names ->
    count, of the pairs that the table calls so.
    """

    by_id: dict[int, Order]
    last_id: cython.longlong
    anomalies: dict[tuple[str, str], int]
    ignored: dict[tuple[str, str], int]
    done_count: cython.longlong

    def __init__(self) -> None:
        self.by_id = {}
        self.last_id = 0
        self.anomalies = {}
        self.ignored = {}
        self.done_count = 0

    def create(
        self,
        strategy: str,
        owner_index: cython.int,
        strategy_index: cython.int,
        instrument: Instrument,
        instrument_index: cython.int,
        terms: OrderTerms,
        ts: cython.longlong,
    ) -> Order:
        """A NEW order under the next id. The terms are checked."""
        order: Order = Order.__new__(Order)
        self.last_id += 1
        order.order_id = self.last_id
        order.venue_order_id = 0
        order.strategy = strategy
        order.owner_index = owner_index
        order.strategy_index = strategy_index
        order.instrument = instrument
        order.instrument_index = instrument_index
        order.side_sign = terms.side
        order.type_code = terms.order_type
        order.tif_code = terms.time_in_force
        order.flag_bits = terms.flags
        order.qty_units = terms.qty
        order.cum_units = 0
        order.limit_units = terms.limit_price
        order.stop_units = terms.stop_price
        order.trail_units = terms.trail
        order.expire_ts = terms.expire_ts
        order.signal_id = terms.signal_id
        order.ts_sent = ts
        order.state_code = 0
        order.resume_code = 0
        order.reason_code = 0
        order.notional_units = 0
        order.reserve = 0.0
        self.by_id[order.order_id] = order
        return order

    def apply(self, order: Order, event: cython.int) -> cython.int:
        """Move an order by the table. Returns the new state's code, or IGNORED or ANOMALY (no change, counted).

        Raises: InvariantError: a pair that only a fault of ours can produce.
        """
        if event < 0 or event >= _EVENTS:
            raise InvariantError(f"order {order.order_id}: no order event has the number {event}")
        state: cython.int = order.state_code
        target: cython.int = NEXT[state * _EVENTS + event]
        if target == _RESUME:
            target = order.resume_code if state == _PENDING_CANCEL or state == _PENDING_REPLACE else state
            if order.cum_units > 0:
                target = _PARTIAL_FILL
        if target < 0:
            return self._unexpected(order, event, target)
        if target == _PENDING_CANCEL or target == _PENDING_REPLACE:
            if state != _PENDING_CANCEL and state != _PENDING_REPLACE:
                order.resume_code = state
            elif event == _TRIGGER:
                order.resume_code = _TRIGGERED
            elif event == _ACCEPT and order.resume_code == _PENDING_NEW:
                order.resume_code = _ACKNOWLEDGED
        elif (target == _ACKNOWLEDGED or target == _TRIGGERED) and order.cum_units > 0:
            target = _PARTIAL_FILL
        order.state_code = target
        if FINISHED[target]:
            del self.by_id[order.order_id]
            self.done_count += 1
        return target

    def _unexpected(self, order: Order, event: cython.int, answer: cython.int) -> cython.int:
        pair = (OrderState(order.state_code).name, OrderEventKind(event).name)
        if answer == _IMPOSSIBLE:
            raise InvariantError(f"order {order.order_id}: {pair[1]} cannot happen in state {pair[0]}")
        counts = self.anomalies if answer == _ANOMALY else self.ignored
        counts[pair] = counts.get(pair, 0) + 1
        return answer

    def apply_fill(self, order: Order, qty: cython.longlong, price: cython.longlong) -> cython.int:
        """Move the order by a fill and add it. Where the table refuses the move, the quantities stay as they were too.

        Raises: InvariantError: a fill beyond the order's quantity (it would be an overfill).
        """
        if qty <= 0 or qty > order.qty_units - order.cum_units:
            raise InvariantError(
                f"order {order.order_id}: fill of {qty} units, but only {order.qty_units - order.cum_units} were open"
            )
        result: cython.int = self.apply(order, _FILL if order.cum_units + qty == order.qty_units else _PARTIAL)
        if result >= 0:
            wide: cython.py_int = price  # one factor as a Python int first: the product may pass 64 bits
            order.cum_units += qty
            order.notional_units = order.notional_units + wide * qty
        return result

    def restate(
        self, order: Order, qty: cython.longlong, limit_price: cython.longlong, stop_price: cython.longlong
    ) -> cython.int:
        """A venue restated an order for a corporate action: new total quantity and prices (fills so far are kept).

        stop_price is the trail of a trailing stop.
        Raises: InvariantError: nothing would be left to fill; a venue ends such an order instead.
        """
        if qty <= order.cum_units:
            raise InvariantError(
                f"order {order.order_id}: restated to {qty} units, {order.cum_units} are filled already"
            )
        result: cython.int = self.apply(order, _RESTATE)
        if result >= 0:
            order.qty_units = qty
            order.limit_units = limit_price
            if order.type_code == _TRAILING:
                order.trail_units = stop_price
            else:
                order.stop_units = stop_price
        return result
