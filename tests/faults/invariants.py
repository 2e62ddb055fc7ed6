"""The invariants, by their numbers in the reliability notes: the cheap ones after each step, all of them at every check.

They are written against what stands outside the code under test: what went over the wire, what the venue model holds as its
truth, the bytes on the disk. Not applicable yet: 25 to 27, 29 and 30 (feeds, FIX, the dashboard). 15 holds by 22: no synthetic execution is ever made, and a replay gives the same state.
"""

from collections import defaultdict, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lockstep.engine.engine import Engine
from lockstep.engine.records import KILL
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.enums import Reason
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.model.traffic import OrderRequest
from lockstep.orders.saved import save_order, save_orders
from lockstep.run.inputs import SessionAct
from lockstep.run.recovery import replay, state_hash
from lockstep.run.session import Phase, Session
from lockstep.store.journal.layout import RecordKind
from lockstep.store.journal.reader import Journal

if TYPE_CHECKING:
    from world import World


class Broken(Exception):
    """An invariant does not hold. number: its own."""

    def __init__(self, number: str, what: str) -> None:
        super().__init__(f"[{number}] {what}")
        self.number = number


_ENDS = {S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED}
_WORKS = {S.ACKNOWLEDGED, S.TRIGGERED, S.PARTIAL_FILL, S.PENDING_CANCEL, S.PENDING_REPLACE, S.UNKNOWN}
# Written down again here, by hand, from the life of an order: what may follow what.
LEGAL: dict[int, set[int]] = {
    int(before): {int(after) for after in afters}
    for before, afters in {
        S.NEW: {S.PENDING_NEW, S.DENIED},
        S.PENDING_NEW: _WORKS | _ENDS,
        S.ACKNOWLEDGED: _WORKS | _ENDS,
        S.TRIGGERED: _WORKS | _ENDS,
        S.PARTIAL_FILL: (_WORKS | _ENDS) - {S.REJECTED},
        S.PENDING_CANCEL: _WORKS | _ENDS | {S.PENDING_NEW},
        S.PENDING_REPLACE: _WORKS | _ENDS | {S.PENDING_NEW},
        S.UNKNOWN: _WORKS | _ENDS,
        S.DENIED: set(),
        S.FILLED: set(),
        S.CANCELED: set(),
        S.REJECTED: set(),
        S.EXPIRED: set(),
    }.items()
}
_SUBMIT, _REJECT, _REPLACE_REQUEST = int(E.SUBMIT), int(E.REJECT), int(E.REPLACE_REQUEST)
_REJECTED = int(S.REJECTED)
_ORDER_KINDS = len(E)


class Watch:
    """What the world has seen for itself, and the checks made of it."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.wire: set[int] = set()  # ids sent as new, in all time
        self.states: dict[int, int] = {}
        self.fresh: list[NDArray[np.int64]] = []
        self.replaying = False
        self.answered_since = False
        self.killed: bool | None = False  # as acknowledged; None where the process ended before it said so
        self.suspended: set[int] = set()
        self.checks = 0
        self.paced: dict[int, deque[int]] = defaultdict(
            deque
        )  # of each instrument, when the newest orders were decided

    # ---- what it is told

    def on_rows(self, block: NDArray[np.int64]) -> None:
        if not self.replaying:
            self.fresh.append(block.copy())

    def restarted(self) -> None:
        """A process begins: what it replays are no news."""
        self.fresh.clear()
        self.replaying = True
        self.answered_since = False

    def recovered(self) -> None:
        """A session is open again, on what the journal kept."""
        session = self._session()
        self.replaying = False
        orders = session.engine.state.orders
        self.states = {order.id: int(order.state) for order in (*orders.by_id.values(), *orders.done)}
        if self.killed is not None and session.halted != self.killed:
            raise Broken("19", f"the kill switch was {self.killed} before the restart, is {session.halted}")
        lost = [k for k in self.suspended if not session.engine.portfolio.holdings[k].suspended]
        if lost:
            raise Broken("19", f"the halts of {lost} did not survive the restart")

    def answered(self) -> None:
        self.answered_since = True

    def doubted(self) -> None:
        self.answered_since = False

    def wanted(self, act: SessionAct) -> None:
        """A person asks for it; the process may end before it answers."""
        if act.what in ("kill", "reset"):
            self.killed = None
        if act.what == "lift":
            self.suspended.discard(act.instrument)

    def acknowledged(self, act: SessionAct, safe: bool) -> None:
        """It was done, and told to be safe from a restart or not."""
        if not safe:
            return
        if act.what in ("kill", "reset"):
            self.killed = act.what == "kill"
        if act.what == "suspend":
            self.suspended.add(act.instrument)

    def sent(self, request: OrderRequest) -> None:
        """A request leaves the process, at this moment."""
        session = self._session() if self.world.session is not None else None
        if session is None:
            raise Broken("24", f"request about order {request.order_id} while the session was being opened")
        i24_nothing_sent_before_reconciled(self, session, request)
        i1_journalled_before_sent(self, session, request)
        i2_sent_as_new_once(self, request)
        i18_killed_sends_only_what_reduces(self, session, request)
        i20_within_the_throttle(self, session, request)

    def _session(self) -> Session:
        assert self.world.session is not None
        return self.world.session

    # ---- checks

    def step(self) -> None:
        """After each step: cheap."""
        if not self.fresh:
            return
        if self.world.session is None:
            self.fresh.clear()
            return
        self.replaying = False
        blocks, self.fresh = self.fresh, []
        engine = self._session().engine
        for block in blocks:
            for row in block.tolist():
                if row[2] & 63 < _ORDER_KINDS:
                    self._row(engine, row)
                elif row[2] & 63 == KILL and not row[7]:
                    self.killed = None  # it went on by itself
        i8_i17_reserved(engine)
        i14_strategies_sum_to_account(engine)

    def _row(self, engine: Engine, row: list[int]) -> None:
        kind, order_id, state = row[2] & 63, row[3], row[2] >> 14 & 31
        i3_legal_step(self, order_id, state)
        order = engine.state.orders.find(order_id)
        if order is None:
            return
        i4_i5_quantities(self, engine, order)
        if kind == _SUBMIT:
            i16_within_limits(self.world, engine, order)
        elif state == _REJECTED:
            i9_rejected_by_the_venues_word(self, order)

    def full(self) -> None:
        """All that can be checked at any moment."""
        session = self.world.session
        if session is None or session.full or session.phase is Phase.ENDED or self.world.disk.full:
            return
        self.checks += 1
        self.world.mute = True
        replaying, self.replaying = self.replaying, True
        try:
            session.writer.flush()
            i6_cumulative_is_the_sum_of_executions(session.engine)
            i7_legs_stay_within_their_parent(session.engine)
            i1_wire_is_in_the_journal(self, i21_sequence(self.world.folder))
            i22_i23_replay(self, session)
        finally:
            self.world.mute, self.replaying = False, replaying

    def quiet(self) -> None:
        """When nothing moves any more, ours is the venue's truth."""
        session = self._session()
        i11_every_order_ends(self, session.engine)
        i12_positions(self.world, session.engine)
        i13_cash(self.world, session.engine)
        i6_executions_are_the_venues(self.world, session.engine)


# ---- one function each


def i1_journalled_before_sent(watch: Watch, session: Session, request: OrderRequest) -> None:
    """What is on the wire is in the journal: the file holds all of it, and in durable mode the disk does."""
    if session.full:
        if request.kind in (_SUBMIT, _REPLACE_REQUEST):
            raise Broken("1", f"order {request.order_id} left although its record found no room")
        return
    if session.writer._buffer.count:
        raise Broken(
            "1", f"request about order {request.order_id} left with {session.writer._buffer.count} records held"
        )
    disk = watch.world.disk
    behind = [path.name for path, size in disk.size.items() if path.suffix == ".journal" and size > disk.synced[path]]
    if behind and watch.world.script.mode == "durable":
        raise Broken("1", f"request about order {request.order_id} left before {behind} was on the disk")


def i1_wire_is_in_the_journal(watch: Watch, submitted: set[int]) -> None:
    lost = watch.wire - submitted
    if lost:
        raise Broken("1", f"orders {sorted(lost)[:5]} were sent and are in no SUBMIT record")


def i2_sent_as_new_once(watch: Watch, request: OrderRequest) -> None:
    """One client order id goes out as new once in all time."""
    if request.kind != _SUBMIT:
        return
    if request.order_id in watch.wire:
        raise Broken("2", f"order {request.order_id} was sent as new a second time")
    watch.wire.add(request.order_id)


def i3_legal_step(watch: Watch, order_id: int, state: int) -> None:
    """States follow the graph; what is final stays so."""
    before = watch.states.get(order_id, 0)
    if state != before and state not in LEGAL[before]:
        raise Broken("3", f"order {order_id} went from {S(before).name} to {S(state).name}")
    watch.states[order_id] = state


def i4_i5_quantities(watch: Watch, engine: Engine, order: Any) -> None:
    """0 <= cumulative <= ordered, or the instrument halts; what is left is the difference while open, else 0."""
    cum, qty = order.cum_units, order.qty_units
    if cum < 0:
        raise Broken("4", f"order {order.id}: cumulative {cum}")
    there = watch.world.venue.orders.get(order.id)
    replaced = (
        there is not None and there.revision > order.revision and cum <= there.qty
    )  # the word of it is on its way
    if cum > qty and order.replace_units < cum and not replaced and engine.state.orders.overfills == 0:
        raise Broken("4", f"order {order.id}: {cum} of {qty} filled, and no overfill was raised")
    leaves = max(0, qty - cum) if order.is_open else 0
    if order.leaves_units != leaves:
        raise Broken("5", f"order {order.id}: leaves {order.leaves_units}, not {leaves}")


def i6_cumulative_is_the_sum_of_executions(engine: Engine) -> None:
    """Each execution once, as it stands now; the average price is exact."""
    saved = save_orders(engine.state.orders)
    for order in (*saved["by_id"], *saved["done"]):
        fills = ([order["first_fill"]] if order["first_fill"] else []) + (order["more_fills"] or [])
        numbers = [fill["exec_id"] for fill in fills]
        if len(set(numbers)) != len(numbers):
            raise Broken("6", f"order {order['order_id']}: executions {numbers}")
        total = sum(fill["qty"] for fill in fills)
        worth = sum(fill["qty"] * fill["price"] for fill in fills)
        if (total, worth) != (order["cum_units"], order["notional_units"]):
            raise Broken("6", f"order {order['order_id']}: {order['cum_units']} filled, its executions sum to {total}")


def i6_executions_are_the_venues(world: "World", engine: Engine) -> None:
    saved = save_orders(engine.state.orders)
    for order in (*saved["by_id"], *saved["done"]):
        fills = ([order["first_fill"]] if order["first_fill"] else []) + (order["more_fills"] or [])
        ours = {fill["exec_id"]: (fill["qty"], fill["price"]) for fill in fills}
        there = world.venue.orders.get(order["order_id"])
        theirs = {} if there is None else there.executions
        if {k: v for k, v in ours.items() if v[0]} != {k: v for k, v in theirs.items() if v[0]}:
            raise Broken("6", f"order {order['order_id']}: executions {ours}, the venue's are {theirs}")


def i7_legs_stay_within_their_parent(engine: Engine) -> None:
    """Of each kind of leg, what was asked for is at most what its parent was ordered for, or filled.

    What a venue fills beyond that is its overfill (4), not a leg too large.
    """
    orders = engine.state.orders
    asked: dict[tuple[int, int], int] = {}
    for leg in (*orders.by_id.values(), *orders.done):
        if leg.parent_id:
            units = max(leg.qty_units, leg.replace_units) if leg.is_open else min(leg.cum_units, leg.qty_units)
            key = (leg.parent_id, leg.type_code)
            asked[key] = asked.get(key, 0) + units
    for (parent_id, kind), units in asked.items():
        parent = orders.find(parent_id)
        if parent is not None and units > max(parent.qty_units, parent.replace_units, parent.cum_units):
            raise Broken(
                "7", f"legs of kind {kind} of order {parent_id} come to {units}, the order itself is {parent!r}"
            )


def i8_i17_reserved(engine: Engine) -> None:
    """What is open, unknown orders among it, is reserved; nothing else is; it never goes below 0."""
    for holding in engine.portfolio.holdings:
        buys = sells = 0
        for order in engine.state.orders.by_id.values():
            # Of a bracket's two legs one reserves for both.
            if order.instrument_index == holding.index and not (order.parent_id and save_order(order)["unreserved"]):
                left = max(order.qty_units, order.replace_units) - order.cum_units
                if left > 0:
                    buys, sells = (buys + left, sells) if order.side_sign > 0 else (buys, sells + left)
        if (holding.pending_buy, holding.pending_sell) != (buys, sells):
            raise Broken(
                "17",
                f"{holding.instrument.symbol} reserves {holding.pending_buy} and {holding.pending_sell}, "
                f"its open orders need {buys} and {sells}",
            )
        if holding.pending_buy_worth < -1e-6 or holding.pending_sell_worth < -1e-6:
            raise Broken("17", f"{holding.instrument.symbol} reserves less than nothing")
        if not buys and not sells and (holding.pending_buy_worth > 1e-6 or holding.pending_sell_worth > 1e-6):
            raise Broken("17", f"{holding.instrument.symbol} has no open order and reserves money")


def i9_rejected_by_the_venues_word(watch: Watch, order: Any) -> None:
    """A timeout is no rejection: what is REJECTED is so at the venue, or never came there and never will."""
    there = watch.world.venue.orders.get(order.id)
    if there is not None and there.status != "REJECTED":
        raise Broken("9", f"order {order.id} is REJECTED here and {there.status} at the venue")
    if order.reason is Reason.NOT_SENT and order.id in watch.wire:
        raise Broken("9", f"order {order.id} was sent and is said not to have been")


def i11_every_order_ends(watch: Watch, engine: Engine) -> None:
    """Nothing is open here that is gone there, or the other way; nothing stays unknown."""
    ours = {order.id: order for order in engine.open_orders()}
    theirs = watch.world.venue.open
    if set(ours) != set(theirs):
        raise Broken(
            "11", f"open here alone {sorted(set(ours) - set(theirs))}, there alone {sorted(set(theirs) - set(ours))}"
        )
    for order in ours.values():
        if order.state is S.UNKNOWN:
            raise Broken("11", f"order {order.id} is still unknown")
        there = theirs[order.id]
        if (order.qty_units, order.cum_units) != (there.qty, there.cum):
            raise Broken(
                "10",
                f"order {order.id} stands at {order!r}, revision {order.revision}; the venue has {there.at_venue()}",
            )


def i12_positions(world: "World", engine: Engine) -> None:
    for holding in engine.portfolio.holdings:
        if holding.units != world.venue.positions[holding.index]:
            raise Broken(
                "12", f"{holding.instrument.symbol}: {holding.units} here, {world.venue.positions[holding.index]} there"
            )


def i13_cash(world: "World", engine: Engine) -> None:
    """To the ledger unit."""
    ledger = engine.portfolio.ledger
    if ledger.cash - ledger.opening != world.venue.cash:
        raise Broken("13", f"cash changed by {ledger.cash - ledger.opening} here, {world.venue.cash} there")


def i14_strategies_sum_to_account(engine: Engine) -> None:
    sums = [0] * len(engine.portfolio.holdings)
    for position in engine.portfolio.positions:
        sums[position.holding.index] += position.units
    for holding in engine.portfolio.holdings:
        if sums[holding.index] != holding.units:
            raise Broken(
                "14", f"{holding.instrument.symbol}: strategies hold {sums[holding.index]}, the account {holding.units}"
            )


def i16_within_limits(world: "World", engine: Engine, order: Any) -> None:
    """If all that is open and unknown fills, the position is within its limit, this order included."""
    from world import POSITION_MAX

    holding = engine.portfolio.holdings[order.instrument_index]
    worst = holding.units + holding.pending_buy if order.side_sign > 0 else holding.pending_sell - holding.units
    if worst > POSITION_MAX:
        raise Broken("16", f"order {order.id} was let through: the position could be {worst}, limit {POSITION_MAX}")


def i18_killed_sends_only_what_reduces(watch: Watch, session: Session, request: OrderRequest) -> None:
    if not (watch.killed or session.halted) or request.kind not in (_SUBMIT, _REPLACE_REQUEST):
        return
    terms = request.terms
    assert terms is not None
    held = session.engine.portfolio.holdings[request.instrument].units * terms.side
    if request.kind == _REPLACE_REQUEST:
        order = session.engine.state.orders.find(request.order_id)
        if order is not None and terms.qty > order.qty_units and terms.qty - order.cum_units > -held:
            raise Broken("18", f"order {request.order_id} was to grow to {terms.qty} with the kill switch on")
    elif terms.qty > -held:
        raise Broken("18", f"order {request.order_id} of {terms.qty} left with the kill switch on and {held} held")


def i20_within_the_throttle(watch: Watch, session: Session, request: OrderRequest) -> None:
    """New orders of an instrument in any one second, restarts or not. A bracket's legs are never held up."""
    from world import ORDERS_PER_SECOND

    order = session.engine.state.orders.find(request.order_id)
    if request.kind != _SUBMIT or order is None or order.parent_id:
        return
    times = watch.paced[request.instrument]
    while times and request.ts - times[0] >= NANOS_PER_SECOND:
        times.popleft()
    times.append(request.ts)
    if len(times) > ORDERS_PER_SECOND:
        raise Broken("20", f"order {request.order_id} is number {len(times)} within a second")


def i21_sequence(folder: Path) -> set[int]:
    """No gap, no repeat, no time that goes back; each CRC and the chain hold. Returns: ids of SUBMIT records."""
    sequence, clock, submitted = 0, -1, set()
    for record in Journal(folder).records():
        if record.sequence != sequence + 1 or record.ts < clock:
            raise Broken("21", f"record {record.sequence} at {record.ts} follows {sequence} at {clock}")
        sequence, clock = record.sequence, record.ts
        if record.kind == RecordKind.DECISION and record.payload[16] & 63 == _SUBMIT:
            submitted.add(int.from_bytes(record.payload[24:32], "little"))
    return submitted


def i22_i23_replay(watch: Watch, session: Session) -> None:
    """The journal gives the state that lives, from the newest snapshot and from the first record alike."""
    lives = state_hash(session.engine, session.state)
    for snapshots, number in ((True, "22"), (False, "23")):
        again = replay(watch.world.folder, watch.world.build, snapshots=snapshots)
        if len(again.unwritten):
            raise Broken(number, "the replay decides more than the journal has")
        if state_hash(again.engine, again.state) != lives:
            raise Broken(
                number,
                f"the replay {'from a snapshot ' if snapshots else ''}gives another state than the one that lives",
            )


def i24_nothing_sent_before_reconciled(watch: Watch, session: Session, request: OrderRequest) -> None:
    if not watch.answered_since:
        raise Broken("24", f"request about order {request.order_id} left before the venue had said anything")
    if session.phase is not Phase.LIVE:
        raise Broken("24", f"request about order {request.order_id} left while {session.phase.value}")
