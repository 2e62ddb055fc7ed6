"""An engine at one coin, and a venue's side of it to be played by hand, word for word."""

from typing import Any

import numpy as np
from machine import HOUR, T0, Plan, coin

from lockstep.engine.engine import Engine
from lockstep.engine.records import HEAD, RECORD_NAMES
from lockstep.model.enums import EventKind, Reason
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.record import MARKET_EVENT
from lockstep.model.saved import restore_report, save_report
from lockstep.model.traffic import VenueReport, make_fill, make_report
from lockstep.portfolio.portfolio import Portfolio

CASH = 1_000_000
UNIT = 10**8  # of the ledger


class Bench:
    """The k-th bar does what the k-th of `sends` says; words of the venue are methods."""

    def __init__(self, *sends: Any, **handlers: Any) -> None:
        self.rows: list[Any] = []
        self.fill_rows: list[Any] = []
        self.plan = Plan(dict(enumerate(sends)), **handlers)
        self.engine = Engine(
            Portfolio([coin()], CASH),
            decision_sinks=[lambda block: self.rows.extend(block.tolist())],
            fill_sinks=[lambda block: self.fill_rows.extend(block.tolist())],
        )
        self.engine.add_strategy(self.plan, "s", [0])
        self.engine.start(T0)
        self.hour = 0

    def bar(self, price: int = 100) -> list[Any]:
        self.hour += 1
        row = np.zeros(1, MARKET_EVENT)
        clock = T0 + self.hour * HOUR
        row[0] = (clock, clock, 0, EventKind.BAR, 0, 0, 0, price, price, price, price, 1.0, clock - HOUR)
        return self.engine.step(row)

    def word(self, kind: E, order_id: int = 1, reason: Reason = Reason.NONE, **fields: int) -> list[Any]:
        now = T0 + self.hour * HOUR
        plain = save_report(make_report(int(kind), 0, now, now, order_id, 9, int(reason)))
        return self.engine.step(restore_report(plain | fields))

    def fill(self, exec_id: int, qty: int, price: int = 100, *, order_id: int = 1, fee: int = 0) -> list[Any]:
        return self.engine.step(self.report(E.FILL, exec_id, qty, price, order_id=order_id, fee=fee))

    def report(
        self,
        kind: E,
        exec_id: int,
        qty: int,
        price: int,
        ref: int = 0,
        *,
        order_id: int = 1,
        fee: int = 0,
        late: int = 0,
    ) -> VenueReport:
        now = T0 + self.hour * HOUR
        return make_fill(int(kind), 0, now, now + late, order_id, 9, exec_id, qty, price, fee, ref)

    def replaced(self, qty: int, limit: int = 0, stop: int = 0, order_id: int = 1, revision: int = 0) -> None:
        self.word(E.REPLACE, order_id, qty=qty, limit_price=limit, stop_price=stop, revision=revision)

    def correct(self, exec_id: int, ref: int, qty: int, price: int = 100, **more: Any) -> None:
        self.engine.step(self.report(E.CORRECT, exec_id, qty, price, ref, **more))

    def bust(self, exec_id: int, ref: int, **more: Any) -> None:
        self.engine.step(self.report(E.BUST, exec_id, 0, 0, ref, **more))

    @property
    def orders(self) -> list[Any]:
        return self.plan.placed

    @property
    def units(self) -> int:
        return self.engine.portfolio.positions[0].units

    @property
    def cash(self) -> float:
        return float(self.engine.portfolio.ledger.balance)

    @property
    def pending(self) -> tuple[int, int]:
        holding = self.engine.portfolio.holdings[0]
        return holding.pending_buy, holding.pending_sell

    @property
    def heard(self) -> list[str]:
        return [what[2] for what in self.plan.seen if what[0] == "order"]

    @property
    def records(self) -> list[tuple[Any, ...]]:
        """(kind, id, a, b, c, d, who) of the decision log."""
        self.engine.flush()

        def part(head: int, name: str) -> int:
            shift, bits = HEAD[name]
            return head >> shift & (1 << bits) - 1

        return [(RECORD_NAMES[part(r[2], "kind")], *r[3:8], part(r[2], "who")) for r in self.rows]


def bought(qty: int = 10, **options: Any) -> Any:
    """Buys, when its bar comes."""
    return lambda s: s.buy(qty, **options)


def asked(**terms: Any) -> Bench:
    """A buy of 10 at 100 that the venue has, for which a replacement with these terms was asked."""
    bench = Bench(bought(limit=100))
    bench.bar()
    bench.word(E.ACCEPT)
    assert bench.plan.replace(bench.orders[0], **terms)
    return bench
