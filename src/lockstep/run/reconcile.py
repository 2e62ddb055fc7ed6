"""What a venue says it knows, against what we know: the words that settle the difference.

A difference is never healed by trading. What the venue tells becomes reports to the engine, like any other word of it; what
cannot be explained by one (an order alive there that is done here, a position that differs) suspends the instrument.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import msgspec

from lockstep.model.enums import OrderEventKind, OrderState, Reason
from lockstep.model.saved import restore_report, save_report
from lockstep.model.traffic import OrderRequest, VenueReport, make_report
from lockstep.orders.order import OpenOrders, Order

_ENDED = {"CANCELED": OrderEventKind.CANCEL, "EXPIRED": OrderEventKind.EXPIRE, "REJECTED": OrderEventKind.REJECT}
_UNANSWERED = (OrderState.PENDING_NEW, OrderState.UNKNOWN)
_MISSES = 2
"""So many answers without an order, after the window, say that there is none: one alone may come from a lagging replica."""


class Inquiry(NamedTuple):
    """A question to a venue: its open orders of this account, those with these numbers, and executions since a time of its own.

    order_ids: those open here when it was asked, with the revision each has and the highest that was asked for.
    """

    number: int
    since: int
    order_ids: Mapping[int, tuple[int, int]]


class OrderAtVenue(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the venue has it. status: OPEN, FILLED, CANCELED, EXPIRED or REJECTED. revision: of the last
    request about it that the venue accepted: 0, or that of a replacement.
    """

    order_id: int
    venue_order_id: int
    instrument: int
    status: str
    revision: int
    qty: int
    cum: int
    limit_price: int = 0
    stop_price: int = 0
    reason: int = 0


class VenueAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue knew at one moment. ts: of its clock, ns UTC. orders: open ones, and those asked for that it knows.

    executions: reports of fills, corrections and busts since the time asked for. positions: units by instrument index; empty
    where the venue does not tell.
    """

    number: int
    ts: int
    orders: tuple[OrderAtVenue, ...]
    executions: tuple[VenueReport, ...]
    positions: Mapping[int, int] = {}


class Connection(Protocol):
    """The way to a venue. Reports and answers come back by whoever reads the wire: `Session.on_report`, `Session.on_answer`."""

    def send(self, request: OrderRequest) -> None:
        """Hand a request to the wire, once. Raises: OSError: whether it left is not known."""

    def ask(self, inquiry: Inquiry) -> None:
        """Ask what the venue knows. An answer that never comes is asked for again. Raises: OSError."""


class Findings(NamedTuple):
    """reports: words for the engine. waiting: whether something is not settled yet. strays, drifts: instrument -> in words."""

    reports: list[VenueReport]
    waiting: bool
    strays: dict[int, str]
    drifts: dict[int, str]


class Reconciler:
    """Compares answers with the order table, and remembers from one answer to the next what was missing.

    Args: window_ns: how long after it was sent an order may be absent from a venue's answer although it is there.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._misses: dict[tuple[int, str], int] = {}

    def compare(
        self,
        orders: OpenOrders,
        positions: Mapping[int, int],
        inquiry: Inquiry,
        answer: VenueAnswer,
        sent: Mapping[int, int],
        clock: int,
        newest: int,
    ) -> Findings:
        """What an answer means, once its executions are booked.

        Args: positions: ours, by instrument. sent: order -> when the last request about it left. newest: venue time of the
              latest execution taken: an answer from before it says nothing of sums.
        """
        there = {order.order_id: order for order in answer.orders}
        before, self._misses = self._misses, {}
        reports: list[VenueReport] = []
        waiting = False
        for order_id, revisions in inquiry.order_ids.items():
            order = orders.by_id.get(order_id)
            if order is None or (order.revision, order.revision_asked) != revisions:
                continue  # settled meanwhile, or in motion
            settled = clock - sent.get(order_id, clock) >= self._window_ns
            known = there.get(order_id)
            if known is None:
                word, open_question = self._not_found(order, answer, settled, before, clock)
            else:
                word, open_question = self._word(order, known, answer, settled, before, clock)
            reports += [] if word is None else [word]
            waiting = waiting or open_question
        strays = self._strays(orders, inquiry, answer, before)
        drifts = self._drifts(positions, answer, before) if newest <= answer.ts else {}
        return Findings(reports, waiting, strays, drifts)

    def _again(self, key: tuple[int, str], before: Mapping[tuple[int, str], int]) -> bool:
        """Count what an answer lacks; whether it lacked often enough."""
        count = before.get(key, 0) + 1
        self._misses[key] = count
        return count >= _MISSES

    def _not_found(
        self, order: Order, answer: VenueAnswer, settled: bool, before: Mapping[tuple[int, str], int], clock: int
    ) -> tuple[VenueReport | None, bool]:
        if not settled or not self._again((order.order_id, "missing"), before):
            return None, True
        # What it had acknowledged or filled cannot be rejected any more; that it is not there still ends it.
        known_once = order.cum_units > 0 or order.venue_order_id > 0
        kind = OrderEventKind.CANCEL if known_once else OrderEventKind.REJECT
        return _about(order, kind, answer.ts, clock, 0, Reason.UNKNOWN_ORDER), False

    def _word(
        self,
        order: Order,
        known: OrderAtVenue,
        answer: VenueAnswer,
        settled: bool,
        before: Mapping[tuple[int, str], int],
        clock: int,
    ) -> tuple[VenueReport | None, bool]:
        """The word an order is waiting for, and whether it waits on."""
        if order.replace_units > 0 and known.revision == order.revision_asked:
            terms = {
                "qty": known.qty,
                "limit_price": known.limit_price,
                "stop_price": known.stop_price,
                "revision": known.revision,
            }
            return _with(_about(order, OrderEventKind.REPLACE, answer.ts, clock, known.venue_order_id, 0), terms), True
        if known.status == "OPEN" and order.replace_units == 0 and known.qty > order.cum_units and _other(order, known):
            # A replacement was given up here and came there all the same: the venue's terms are the order's.
            terms = {
                "qty": known.qty - order.cum_units,
                "limit_price": known.limit_price,
                "stop_price": known.stop_price or order.stop_units or order.trail_units,
            }
            return _with(_about(order, OrderEventKind.RESTATE, answer.ts, clock, known.venue_order_id, 0), terms), True
        missing = known.cum != order.cum_units  # executions that the next answer has
        if order.replace_units > 0 and known.status in ("OPEN", "FILLED"):
            # A replacement never came, or was refused: at once where nothing is left to replace.
            never = known.status == "FILLED" or (settled and self._again((order.order_id, "replace"), before))
            if missing or not never:
                return None, True
            refused = _about(order, OrderEventKind.REPLACE_REJECT, answer.ts, clock, known.venue_order_id, 0)
            return _with(refused, {"revision": order.revision_asked}), False
        if known.status == "OPEN":
            unanswered = order.state in _UNANSWERED
            accepted = _about(order, OrderEventKind.ACCEPT, answer.ts, clock, known.venue_order_id, 0)
            return accepted if unanswered else None, missing
        if missing or known.status == "FILLED":
            return None, True
        return _about(order, _ENDED[known.status], answer.ts, clock, known.venue_order_id, known.reason), False

    def _strays(
        self, orders: OpenOrders, inquiry: Inquiry, answer: VenueAnswer, before: Mapping[tuple[int, str], int]
    ) -> dict[int, str]:
        """Orders alive at the venue that are done here, or were never ours to know."""
        found = {}
        for known in answer.orders:
            order_id = known.order_id
            ours = order_id in orders.by_id or order_id in inquiry.order_ids
            if known.status == "OPEN" and not ours and self._again((order_id, "stray"), before):
                what = "done here" if order_id <= orders.last_id else "unknown here"
                found[known.instrument] = f"order {order_id} is open at the venue and {what}"
        return found

    def _drifts(
        self, positions: Mapping[int, int], answer: VenueAnswer, before: Mapping[tuple[int, str], int]
    ) -> dict[int, str]:
        found = {}
        for instrument, units in answer.positions.items():
            ours = positions.get(instrument, 0)
            if units != ours and self._again((instrument, f"position {units - ours}"), before):
                found[instrument] = f"the venue holds {units} units, the books {ours}"
        return found


def _other(order: Order, known: OrderAtVenue) -> bool:
    return (known.qty, known.limit_price) != (order.qty_units, order.limit_units)


def _with(report: VenueReport, terms: Mapping[str, int]) -> VenueReport:
    return restore_report({**save_report(report), **terms})


def _about(order: Order, kind: OrderEventKind, ts: int, clock: int, venue_order_id: int, reason: int) -> VenueReport:
    return make_report(int(kind), order.instrument_index, clock, ts, order.order_id, venue_order_id, int(reason))


def refusal(request: OrderRequest, clock: int) -> VenueReport:
    """A request that never left is refused here, so that the order it is about stands where it stood."""
    kind = int(_REFUSALS[request.kind])
    refused = make_report(kind, request.instrument, clock, clock, request.order_id, 0, int(Reason.NOT_SENT))
    return _with(refused, {"revision": request.revision}) if request.revision else refused


_REFUSALS = {
    int(OrderEventKind.SUBMIT): OrderEventKind.REJECT,
    int(OrderEventKind.CANCEL_REQUEST): OrderEventKind.CANCEL_REJECT,
    int(OrderEventKind.REPLACE_REQUEST): OrderEventKind.REPLACE_REJECT,
}
