"""Orders as the engine keeps them, and the one place that moves them along the state table."""

from decimal import Decimal
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderTerms, VenueReport, make_fill
else:
    from lockstep.model.traffic import OrderTerms, VenueReport, make_fill
from lockstep.model.enums import OrderEventKind, OrderFlag, OrderState, OrderType, Reason, Side, TimeInForce
from lockstep.model.errors import InvariantError
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import MONEY
from lockstep.orders.table import AMEND, ANOMALY, IGNORED, IMPOSSIBLE, LATE, RESUME, TERMINAL, flat_table

# The table as flat C arrays: an Enum lookup inside the order path costs more than the rest of it.
NEXT = cython.declare(cython.schar[234])  # type: ignore[misc, valid-type]
FINISHED = cython.declare(cython.schar[13])  # type: ignore[misc, valid-type]
if len(OrderState) * len(OrderEventKind) != 234 or len(OrderState) != 13:
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
_REPLACE = cython.declare(cython.int, int(OrderEventKind.REPLACE))
_REPLACE_REJECT = cython.declare(cython.int, int(OrderEventKind.REPLACE_REJECT))
_BUST = cython.declare(cython.int, int(OrderEventKind.BUST))
_RESTATE = cython.declare(cython.int, int(OrderEventKind.RESTATE))
_PENDING_CANCEL = cython.declare(cython.int, int(OrderState.PENDING_CANCEL))
_PENDING_REPLACE = cython.declare(cython.int, int(OrderState.PENDING_REPLACE))
_TRAILING = cython.declare(cython.int, int(OrderType.TRAILING_STOP))
_UNKNOWN = cython.declare(cython.int, int(OrderState.UNKNOWN))
_ACKNOWLEDGED = cython.declare(cython.int, int(OrderState.ACKNOWLEDGED))
_FILLED = cython.declare(cython.int, int(OrderState.FILLED))
_PARTIAL_FILL = cython.declare(cython.int, int(OrderState.PARTIAL_FILL))
_ANOMALY = cython.declare(cython.int, ANOMALY)
_IGNORED = cython.declare(cython.int, IGNORED)
_IMPOSSIBLE = cython.declare(cython.int, IMPOSSIBLE)
_RESUME = cython.declare(cython.int, RESUME)
_LATE = cython.declare(cython.int, LATE)
_AMEND = cython.declare(cython.int, AMEND)
DONE_KEPT = 1024
"""How many of the orders done last are kept for a late word about them."""


@cython.final
@cython.no_gc  # holds an Instrument, a name, numbers and reports of numbers: no cycle is possible
@cython.freelist(64)
@cython.cclass
class Order:
    """One order of ours; strategies read it, only `OpenOrders` changes it.

    *_units: the instrument's units; limit_units, stop_units: 0 where the type has none. trail_units: of a trailing stop,
    price units, or millionths of the price where flags say TRAIL_PPM. notional_units: sum of price x quantity of its fills, an unbounded int; with cum_units it is the exact average price. reserve: worth of what
    may still fill, currency, at the price it was checked at. revision: of what the venue works now; with the id it
    is the client order id of FIX, see `client_id`. revision_asked: the highest that was ever asked for, each of them once. replace_units: total quantity of a replacement under way, 0 for none;
    replace_limit: its limit.
    parent_id: of a bracket's leg, the order it closes, else 0. group_id: of the orders it depends on, or 0. unreserved: the
    other leg of its bracket reserves for both.
    display_units: how much of it is shown at a time; 0 all, HIDDEN nothing.
    first_fill, more_fills: its executions as they stand now, by which repeats are told from second fills. amendments: the
    number of a correction or bust -> that of the execution it changed. exec_id_max: the highest number of them all. refusal: of a DENIED order,
    the rule with its limit and actual value (`risk.limits.Refused`), else None.
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
    display_units: cython.longlong
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
    refusal: Any
    resume_code: cython.int
    reserve: cython.double
    revision: cython.int
    revision_asked: cython.int
    replace_units: cython.longlong
    replace_limit: cython.longlong
    parent_id: cython.longlong
    group_id: cython.longlong
    unreserved: cython.bint
    first_fill: VenueReport | None
    more_fills: list[VenueReport] | None
    amendments: dict[int, int] | None
    exec_id_max: cython.longlong

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always."""
        raise TypeError("an Order is what buy, sell or order returned; it cannot be made empty")

    def is_done(self) -> cython.bint:
        return bool(FINISHED[self.state_code] != 0)

    def open_units(self) -> cython.longlong:
        """What may still fill at most, whichever way a replacement under way ends; 0 when done."""
        if FINISHED[self.state_code]:
            return 0
        most: cython.longlong = self.replace_units if self.replace_units > self.qty_units else self.qty_units
        return most - self.cum_units if most > self.cum_units else 0

    def limit_reach(self) -> cython.longlong:
        """The limit at which it trades with more others, whichever way a replacement under way ends; price units, 0 for none."""
        asked: cython.longlong = self.replace_limit if self.replace_units > 0 else self.limit_units
        return asked if (asked - self.limit_units) * self.side_sign > 0 else self.limit_units

    def execution(self, exec_id: cython.longlong) -> VenueReport | None:
        """An execution as it stands now, by its own number or that of a correction of it; None where none is known."""
        if exec_id <= 0:
            return None
        if self.amendments is not None:
            exec_id = self.amendments.get(exec_id, exec_id)
        report: VenueReport | None = self.first_fill
        if report is not None and report.exec_id == exec_id:
            return report
        if self.more_fills is not None:
            for entry in self.more_fills:
                report = cython.cast(VenueReport, entry)
                if report.exec_id == exec_id:
                    return report
        return None

    def knows(self, exec_id: cython.longlong) -> cython.bint:
        """Whether a report of this execution, correction or bust was taken before. A venue's numbers mostly rise."""
        if exec_id <= 0 or exec_id > self.exec_id_max:
            return False
        return self.execution(exec_id) is not None

    @property
    def id(self) -> int:
        """The order's number: a counter of the run, the same through every replacement."""
        return self.order_id

    @property
    def client_id(self) -> str:
        """The client order id (FIX ClOrdID) the venue knows it under: "7", and "7.1", "7.2" once it was replaced.

        One that the venue refused is never used again: after "7.1" was refused "7" stands, and the next to be asked is "7.2".
        """
        return f"{self.order_id}.{self.revision}" if self.revision else str(self.order_id)

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
        return 0 if FINISHED[self.state_code] else max(0, self.qty_units - self.cum_units)

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
    def display_qty(self) -> float | None:
        """How much of it is shown at a time (FIX DisplayQty), base units; 0.0 where nothing is, None where all of it is."""
        if self.display_units == 0:
            return None
        return float(max(self.display_units, 0) / 10.0**self.instrument.qty_decimals)

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
    """Every order that is not done, by its number, the last that are, and the counters behind the numbers.

    by_id: open orders alone. done: the last of those that are done, for a late word about them; the rest live on in the
    decision log, so that memory does not grow with the run. It is a ring, of which done_count says where it stands.
    anomalies, ignored: (state, event) names -> count, of the pairs that the table calls so (LATE is an anomaly too).
    duplicates: executions heard of again. overfills: fills, or corrections, beyond what was ordered.
    """

    by_id: dict[int, Order]
    last_id: cython.longlong
    anomalies: dict[tuple[str, str], int]
    ignored: dict[tuple[str, str], int]
    done_count: cython.longlong
    latest: Order | None
    done: list[Order]
    done_kept: cython.Py_ssize_t
    duplicates: cython.longlong
    overfills: cython.longlong

    def __init__(self, done_kept: int = DONE_KEPT) -> None:
        """Raises: InvariantError: nothing kept: then no late word could be told from a stranger's."""
        if done_kept < 1:
            raise InvariantError(f"at least one order that is done has to be kept, was {done_kept}")
        self.by_id = {}
        self.latest = None
        self.done = []
        self.done_kept = done_kept
        self.duplicates = 0
        self.overfills = 0
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
        order.display_units = terms.display
        order.ts_sent = ts
        order.state_code = 0
        order.resume_code = 0
        order.reason_code = 0
        order.notional_units = 0
        order.refusal = None
        order.reserve = 0.0
        order.revision = 0
        order.revision_asked = 0
        order.replace_units = 0
        order.replace_limit = 0
        order.parent_id = 0
        order.group_id = 0
        order.unreserved = False
        order.first_fill = None
        order.more_fills = None
        order.amendments = None
        order.exec_id_max = 0
        self.by_id[order.order_id] = order
        self.latest = order
        return order

    def find(self, order_id: cython.longlong) -> Order | None:
        """An order that is open or was done lately; None where it is neither."""
        order: Order | None = self.latest
        if order is not None and order.order_id == order_id and not order.is_done():
            return order  # mostly it is the newest one that something is heard of
        order = self.by_id.get(order_id)
        if order is not None:
            return order
        k: cython.Py_ssize_t
        size: cython.Py_ssize_t = len(self.done)
        last: cython.Py_ssize_t = self.done_count % self.done_kept
        for k in range(size):  # newest first: what comes late mostly comes soon after
            order = cython.cast(Order, self.done[(last - 1 - k + size) % size])
            if order.order_id == order_id:
                return order
        return None

    def _finish(self, order: Order) -> cython.int:
        del self.by_id[order.order_id]
        order.replace_units = 0
        if len(self.done) < self.done_kept:
            self.done.append(order)
        else:
            self.done[self.done_count % self.done_kept] = order
        self.done_count += 1
        return 0

    def apply(self, order: Order, event: cython.int) -> cython.int:
        """Move an order by the table. Returns the new state's code, or IGNORED, ANOMALY or LATE (no change, counted).

        Raises: InvariantError: a pair that only a fault of ours can produce.
        """
        if event < 0 or event >= _EVENTS:
            raise InvariantError(f"order {order.order_id}: no order event has the number {event}")
        state: cython.int = order.state_code
        target: cython.int = NEXT[state * _EVENTS + event]
        if target == _RESUME:
            target = self._standing(order, state)
        elif target == _AMEND:
            target = state
            if order.open_units() == 0:
                target = _FILLED
            elif state != _PENDING_CANCEL and state != _PENDING_REPLACE and state != _UNKNOWN:
                target = self._standing(order, state)
        if target < 0:
            return self._unexpected(order, event, target)
        if order.replace_units > 0 and (
            target == _ACKNOWLEDGED or target == _TRIGGERED or target == _PARTIAL_FILL or target == _PENDING_NEW
        ):
            target = _PENDING_REPLACE  # heard of again, or not cancelled: the replacement has had no answer yet
        if target == _PENDING_CANCEL or target == _PENDING_REPLACE:
            if state != _PENDING_CANCEL and state != _PENDING_REPLACE and state != _UNKNOWN:
                order.resume_code = state
            elif event == _TRIGGER:
                order.resume_code = _TRIGGERED
            elif event == _ACCEPT and order.resume_code == _PENDING_NEW:
                order.resume_code = _ACKNOWLEDGED
        elif (target == _ACKNOWLEDGED or target == _TRIGGERED) and order.cum_units > 0:
            target = _PARTIAL_FILL
        order.state_code = target
        if FINISHED[target]:
            self._finish(order)
        return target

    def takes(self, order: Order, event: cython.int) -> cython.bint:
        """Whether the table has a next state for a request of ours."""
        return bool(NEXT[order.state_code * _EVENTS + event] >= 0)

    def _standing(self, order: Order, state: cython.int) -> cython.int:
        """Where an order stands with no request pending: its quantities say more than what it was before."""
        found: cython.int = _FILLED if order.open_units() == 0 else _PARTIAL_FILL
        if found == _FILLED or order.cum_units > 0:
            return found
        if state == _PENDING_CANCEL or state == _PENDING_REPLACE:
            state = order.resume_code
        if state == _PARTIAL_FILL or state == _UNKNOWN:
            state = _ACKNOWLEDGED
        return state

    def _unexpected(self, order: Order, event: cython.int, answer: cython.int) -> cython.int:
        pair = (OrderState(order.state_code).name, OrderEventKind(event).name)
        if answer == _IMPOSSIBLE:
            raise InvariantError(f"order {order.order_id}: {pair[1]} cannot happen in state {pair[0]}")
        counts = self.anomalies if answer == _ANOMALY or answer == _LATE else self.ignored
        counts[pair] = counts.get(pair, 0) + 1
        return answer

    def apply_fill(self, order: Order, qty: cython.longlong, price: cython.longlong) -> cython.int:
        """Move the order by a fill and add it, be it late or more than was ordered: the venue's word stands.

        Returns: the new state's code, or LATE where the order was done and stays as it ended.
        Raises:  InvariantError: no quantity, or an order that was never sent.
        """
        if qty <= 0:
            raise InvariantError(f"order {order.order_id}: a fill of {qty} units is none")
        most: cython.longlong = order.replace_units if order.replace_units > order.qty_units else order.qty_units
        before: cython.longlong = order.cum_units
        result: cython.int = self.apply(order, _FILL if before + qty >= most else _PARTIAL)
        wide: cython.py_int = price  # one factor as a Python int first: the product may pass 64 bits
        order.cum_units = before + qty
        order.notional_units = order.notional_units + wide * qty
        if before + qty > most:
            self.overfills += 1
        return result

    def keep_execution(self, order: Order, report: VenueReport) -> cython.int:
        """Remember an execution, so that a repeat of it is known for one and a correction finds it."""
        if report.exec_id > order.exec_id_max:
            order.exec_id_max = report.exec_id
        if order.first_fill is None:
            order.first_fill = report
        elif order.more_fills is None:
            order.more_fills = [report]
        else:
            order.more_fills.append(report)
        return 0

    def amend(self, order: Order, report: VenueReport) -> cython.int:
        """A CORRECT or BUST of a known execution: the sums change to what stands now, and the state follows.

        Returns: the state's code, or LATE where the order is done and stays as it ended.
        Raises:  InvariantError: the execution is not known, or more is taken back than was filled.
        """
        old: VenueReport | None = order.execution(report.ref_exec_id)
        if old is None:
            raise InvariantError(f"order {order.order_id}: no execution {report.ref_exec_id} to amend")
        most: cython.longlong = order.replace_units if order.replace_units > order.qty_units else order.qty_units
        qty: cython.longlong = 0 if report.kind == _BUST else report.qty
        total: cython.longlong = order.cum_units - old.qty + qty
        if qty < 0 or total < 0:
            raise InvariantError(f"order {order.order_id}: {report.qty} units for {old.qty} would leave {total} filled")
        wide: cython.py_int = report.price
        wide_old: cython.py_int = old.price
        order.notional_units = order.notional_units + wide * qty - wide_old * old.qty
        if total > most and total > order.cum_units:
            self.overfills += 1
        order.cum_units = total
        self._put_execution(order, old, report, qty)
        return self.apply(order, report.kind)

    def _put_execution(self, order: Order, old: VenueReport, report: VenueReport, qty: cython.longlong) -> cython.int:
        """What stands now takes the place of an execution, under the number it has had from the first."""
        now: VenueReport = make_fill(
            report.kind, report.instrument, report.clock, report.ts_event, order.order_id, report.venue_order_id,
            old.exec_id, qty, report.price, report.fee if qty else 0,
        )  # fmt: skip
        if order.first_fill is old:
            order.first_fill = now
        elif order.more_fills is not None:
            order.more_fills = [now if entry is old else entry for entry in order.more_fills]
        return self.keep_amendment(order, report.exec_id, old.exec_id)

    def keep_amendment(self, order: Order, exec_id: cython.longlong, ref_exec_id: cython.longlong) -> cython.int:
        """Remember the number of a correction or bust with that of the execution it is about."""
        if exec_id > 0:
            if order.amendments is None:
                order.amendments = {}
            order.amendments[exec_id] = ref_exec_id
            if exec_id > order.exec_id_max:
                order.exec_id_max = exec_id
        return 0

    def answers(self, order: Order, revision: cython.int) -> cython.bint:
        """Whether a word about a replacement is the answer that is out; one heard again is counted. revision 0: not said."""
        if revision == 0 or (order.replace_units > 0 and revision == order.revision_asked):
            return True
        self.duplicates += 1
        return False

    def replace(
        self, order: Order, qty: cython.longlong, limit_price: cython.longlong, stop_price: cython.longlong
    ) -> cython.int:
        """The venue replaced an order as it was asked: total quantity and prices are new. stop_price: 0 keeps the trigger.

        Returns: the new state's code; FILLED where it leaves nothing; ANOMALY where no replacement was under way.
        """
        if order.replace_units == 0 and not FINISHED[order.state_code]:
            return self._unexpected(order, _REPLACE, _ANOMALY)
        if not FINISHED[order.state_code]:
            order.replace_units = 0
            if order.resume_code == _PENDING_NEW:
                order.resume_code = _ACKNOWLEDGED  # who replaces an order has it
            order.revision = order.revision_asked
            order.qty_units = qty
            order.limit_units = limit_price
            if order.type_code != _TRAILING:
                order.stop_units = stop_price
            if order.cum_units > qty:
                self.overfills += 1
        return self.apply(order, _REPLACE)

    def keep(self, order: Order) -> cython.int:
        """The venue refused a replacement: the order stands as it was. Returns its state's code, or IGNORED."""
        if order.replace_units == 0 and not FINISHED[order.state_code]:
            return self._unexpected(order, _REPLACE_REJECT, _IGNORED)
        order.replace_units = 0
        if order.cum_units > order.qty_units and not FINISHED[order.state_code]:
            self.overfills += 1
        return self.apply(order, _REPLACE_REJECT)

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
            if order.replace_units > 0:  # in new shares too; rounded up, since it is a reservation
                wide: cython.py_int = order.replace_units - order.cum_units
                leaves: cython.longlong = order.qty_units - order.cum_units
                more = -(-wide * (qty - order.cum_units) // leaves) if leaves > 0 else 1
                order.replace_units = order.cum_units + max(1, more)
            order.qty_units = qty
            order.limit_units = limit_price
            if order.type_code == _TRAILING:
                order.trail_units = stop_price
            else:
                order.stop_units = stop_price
        return result
