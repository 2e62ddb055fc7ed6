"""A venue with its own truth: orders, executions, positions and cash as it knows them. It shares nothing with our order table.

It answers requests with plain reports (`Word`), works resting orders at random moments, and now and then does what venues do:
fills before it acknowledges, cancels by itself, busts and corrects, fills more than was ordered, fills a cancelled order late.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import Reason
from lockstep.model.saved import restore_report, save_report
from lockstep.model.traffic import OrderRequest, VenueReport, make_fill, make_report
from lockstep.run.reconcile import Inquiry, OrderAtVenue, VenueAnswer

FEE_PER_UNIT = 7  # ledger units for each unit filled: small and never zero, so that a fee booked twice shows
_SUBMIT, _CANCEL_REQUEST = int(E.SUBMIT), int(E.CANCEL_REQUEST)


class Word(NamedTuple):
    """A report before it is delivered."""

    kind: int
    instrument: int
    ts: int
    order_id: int
    venue_order_id: int
    reason: int = 0
    exec_id: int = 0
    ref_exec_id: int = 0
    qty: int = 0
    price: int = 0
    fee: int = 0
    revision: int = 0

    def report(self, clock: int) -> VenueReport:
        """As the engine takes it, at a time of our clock."""
        if self.exec_id:
            return make_fill(
                self.kind, self.instrument, clock, self.ts, self.order_id, self.venue_order_id, self.exec_id, self.qty,
                self.price, self.fee, self.ref_exec_id,
            )  # fmt: skip
        word = make_report(self.kind, self.instrument, clock, self.ts, self.order_id, self.venue_order_id, self.reason)
        if self.revision:
            more = {"qty": self.qty, "limit_price": self.price} if self.kind == E.REPLACE else {}
            return restore_report(save_report(word) | more | {"revision": self.revision})
        return word


class Resting:
    """An order at the venue."""

    __slots__ = (
        "cum", "executions", "instrument", "limit", "order_id", "qty", "reason", "revision", "side", "status", "venue_id",
    )  # fmt: skip

    def __init__(self, request: OrderRequest, venue_id: int) -> None:
        terms = request.terms
        assert terms is not None
        self.order_id = request.order_id
        self.venue_id = venue_id
        self.instrument = request.instrument
        self.side = terms.side
        self.qty = terms.qty
        self.limit = terms.limit_price
        self.cum = 0
        self.revision = 0
        self.status = "OPEN"
        self.reason = 0
        self.executions: dict[int, tuple[int, int]] = {}  # number -> quantity, price, as they stand

    def at_venue(self) -> OrderAtVenue:
        return OrderAtVenue(
            order_id=self.order_id,
            venue_order_id=self.venue_id,
            instrument=self.instrument,
            status=self.status,
            revision=self.revision,
            qty=self.qty,
            cum=self.cum,
            limit_price=self.limit,
            reason=self.reason,
        )


class VenueModel:
    """The venue of one account.

    Args: scale: ledger units in one unit of currency. habits: how often it does what, see HABITS.
          say: called with each Word it sends; later: with (delay ns, act) for what it does by itself.
    """

    def __init__(
        self,
        chance: Random,
        instruments: int,
        scale: int,
        habits: dict[str, float],
        say: Callable[[Word], None],
        later: Callable[[int, Callable[[], None]], None],
    ) -> None:
        self.chance = chance
        self.habits = habits
        self.say = say
        self.later = later
        self.scale = scale
        self.orders: dict[int, Resting] = {}
        self.open: dict[int, Resting] = {}
        self.executions: list[Word] = []
        self.positions = dict.fromkeys(range(instruments), 0)
        self.cash = 0
        self.prices = [100] * instruments
        self.now = 0
        self.calm = False  # does nothing by itself any more
        self.duplicates = 0
        self.overfilled: set[int] = set()
        self._ids = 0
        self._taken: set[tuple[int, int]] = set()  # replacements, by which a repeat is known

    def _often(self, habit: str) -> bool:
        rate = self.habits.get(habit, 0.0)
        return rate > 0.0 and not self.calm and self.chance.random() < rate

    def _next(self) -> int:
        self._ids += 1
        return self._ids

    # ---- requests

    def take(self, request: OrderRequest) -> None:
        """A request arrives."""
        if request.kind == _SUBMIT:
            self._take_new(request)
        elif request.kind == _CANCEL_REQUEST:
            self._take_cancel(request)
        else:
            self._take_replace(request)

    def _take_new(self, request: OrderRequest) -> None:
        if request.order_id in self.orders:
            self.duplicates += 1  # a network's repeat: the first one stands
            return
        order = Resting(request, self._next())
        self.orders[order.order_id] = order
        if self._often("reject"):
            order.status, order.reason = "REJECTED", int(Reason.INSTRUMENT_RULES)
            self._word(E.REJECT, order)
            return
        self.open[order.order_id] = order
        if self._often("fill_before_ack"):
            self.fill(order, self._part(order))
            self._word(E.ACCEPT, order)
            return
        self._word(E.ACCEPT, order)
        self.later(self.chance.randrange(20_000_000, 900_000_000), lambda: self._work(order))

    def _take_cancel(self, request: OrderRequest) -> None:
        order = self.open.get(request.order_id)
        if order is None:
            known = self.orders.get(request.order_id)
            reason = Reason.UNKNOWN_ORDER if known is None else Reason.TOO_LATE
            self.say(Word(int(E.CANCEL_REJECT), request.instrument, self.now, request.order_id, 0, int(reason)))
            return
        if self._often("fill_crosses_cancel"):
            self.fill(order, self._part(order))
        if order.status != "OPEN":
            self._word(E.CANCEL_REJECT, order, Reason.TOO_LATE)
            return
        self._end(order, "CANCELED", E.CANCEL)
        if self._often("late_fill") and order.cum < order.qty:
            # The match was made before the cancel, and told after it.
            self.fill(order, 1)

    def _take_replace(self, request: OrderRequest) -> None:
        if (request.order_id, request.revision) in self._taken:
            self.duplicates += 1  # a network's repeat
            return
        self._taken.add((request.order_id, request.revision))
        order, terms = self.open.get(request.order_id), request.terms
        assert terms is not None
        if order is not None and self._often("fill_crosses_cancel"):
            self.fill(order, self._part(order))
        if order is None or order.status != "OPEN" or self._often("reject"):
            self.say(
                Word(
                    int(E.REPLACE_REJECT),
                    request.instrument,
                    self.now,
                    request.order_id,
                    0,
                    int(Reason.TOO_LATE),
                    revision=request.revision,
                )
            )
            return
        order.revision, order.qty, order.limit = request.revision, max(terms.qty, order.cum), terms.limit_price
        self.say(
            Word(
                int(E.REPLACE), order.instrument, self.now, order.order_id, order.venue_id, qty=order.qty, price=order.limit,
                revision=order.revision,
            )
        )  # fmt: skip
        if order.cum >= order.qty:
            order.status = "FILLED"
            self.open.pop(order.order_id, None)

    # ---- what it does by itself

    def _part(self, order: Resting) -> int:
        left = order.qty - order.cum
        return left if self.chance.random() < 0.5 else max(1, left // 2)

    def _work(self, order: Resting) -> None:
        if order.status != "OPEN" or self.calm:
            return
        if self._often("unsolicited_cancel"):
            self._end(order, "CANCELED", E.CANCEL)
            return
        if self._often("expire"):
            self._end(order, "EXPIRED", E.EXPIRE)
            return
        if self._often("overfill"):
            self.overfilled.add(order.instrument)
            self.fill(order, order.qty - order.cum + 1)
        elif self.chance.random() < 0.7:
            self.fill(order, self._part(order))
        if self._often("bust"):
            self._bust(order)
        elif self._often("correct"):
            self._correct(order)
        if order.status == "OPEN":
            self.later(self.chance.randrange(50_000_000, 2_000_000_000), lambda: self._work(order))

    def fill(self, order: Resting, qty: int) -> None:
        """An execution, at the limit or the last price."""
        price = order.limit or self.prices[order.instrument]
        number, fee = self._next(), qty * FEE_PER_UNIT
        order.cum += qty
        order.executions[number] = (qty, price)
        self._book(order, qty, price, fee)
        if order.cum >= order.qty and order.status == "OPEN":
            order.status = "FILLED"
            self.open.pop(order.order_id, None)
        self._execution(
            Word(int(E.FILL), order.instrument, self.now, order.order_id, order.venue_id, 0, number, 0, qty, price, fee)
        )

    def _bust(self, order: Resting) -> None:
        standing = [number for number, (qty, _) in order.executions.items() if qty]
        if not standing:
            return
        number = self.chance.choice(standing)
        qty, price = order.executions[number]
        order.executions[number] = (0, price)
        order.cum -= qty
        self._book(order, -qty, price, -qty * FEE_PER_UNIT)
        if order.status == "FILLED" and order.cum < order.qty:
            order.status, order.reason = "CANCELED", 0  # a busted order does not come back to the book
        self._execution(
            Word(
                int(E.BUST),
                order.instrument,
                self.now,
                order.order_id,
                order.venue_id,
                0,
                self._next(),
                number,
                qty,
                price,
            )
        )

    def _correct(self, order: Resting) -> None:
        standing = [number for number, (qty, _) in order.executions.items() if qty]
        if not standing:
            return
        number = self.chance.choice(standing)
        qty, price = order.executions[number]
        order.executions[number] = (qty, price + 1)
        self._book(order, -qty, price, -qty * FEE_PER_UNIT)
        self._book(order, qty, price + 1, qty * FEE_PER_UNIT)
        self._execution(
            Word(
                int(E.CORRECT), order.instrument, self.now, order.order_id, order.venue_id, 0, self._next(), number, qty,
                price + 1, qty * FEE_PER_UNIT,
            )
        )  # fmt: skip

    def restart(self, cancels_all: bool) -> None:
        """It comes up again. Whoever was connected is not; some venues come up with an empty book."""
        if cancels_all:
            for order in list(self.open.values()):
                order.status = "CANCELED"
                self.open.pop(order.order_id)

    def _end(self, order: Resting, status: str, kind: E) -> None:
        order.status = status
        self.open.pop(order.order_id, None)
        self._word(kind, order)

    def _word(self, kind: E, order: Resting, reason: int | None = None) -> None:
        self.say(
            Word(
                int(kind), order.instrument, self.now, order.order_id, order.venue_id,
                int(order.reason if reason is None else reason),
            )
        )  # fmt: skip

    def _execution(self, word: Word) -> None:
        self.executions.append(word)
        self.say(word)

    def _book(self, order: Resting, qty: int, price: int, fee: int) -> None:
        self.positions[order.instrument] += order.side * qty
        self.cash -= order.side * qty * price * self.scale + fee

    # ---- questions

    def answer(self, inquiry: Inquiry, clock: int) -> VenueAnswer:
        """What it knows at this moment."""
        asked = {order_id: self.orders[order_id] for order_id in inquiry.order_ids if order_id in self.orders}
        executions = []
        for word in reversed(self.executions):
            if word.ts < inquiry.since:
                break
            executions.append(word.report(clock))
        executions.reverse()
        return VenueAnswer(
            number=inquiry.number,
            ts=self.now,
            orders=tuple(order.at_venue() for order in {**self.open, **asked}.values()),
            executions=tuple(executions),
            positions=dict(self.positions),
        )


HABITS: dict[str, float] = {
    "reject": 0.03,
    "fill_before_ack": 0.08,
    "fill_crosses_cancel": 0.15,
    "late_fill": 0.05,
    "unsolicited_cancel": 0.03,
    "expire": 0.02,
    "overfill": 0.002,
    "bust": 0.01,
    "correct": 0.01,
}
