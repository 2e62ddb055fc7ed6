"""A session and a venue model between which nothing happens by itself: scenarios are played by hand, word for word."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from machine import SECOND, T0, coin
from venue_model import Resting, VenueModel, Word

from lockstep.engine.engine import Engine
from lockstep.engine.rowlog import Sink
from lockstep.model.enums import EventKind
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.record import MARKET_EVENT
from lockstep.model.traffic import OrderRequest
from lockstep.portfolio.portfolio import Portfolio
from lockstep.run.inputs import SessionAct
from lockstep.run.reconcile import Inquiry
from lockstep.run.recovery import state_hash
from lockstep.run.session import Patience, Phase, Session, open_session
from lockstep.store.journal.files import Files
from lockstep.strategy.base import Strategy

BUY, SELL, CANCEL, GROW, NOTHING = 101, 102, 103, 104, 100
PATIENCE = Patience(answer=SECOND, window=3 * SECOND, ask=SECOND // 2, check=5 * SECOND)
IDENTITY = {"of": "a scenario"}
UNANSWERED = (S.PENDING_NEW, S.PENDING_CANCEL, S.PENDING_REPLACE, S.UNKNOWN)


class Obedient(Strategy):
    """Does what the price of a trade says."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def on_trade(self, trade: Any) -> None:
        price = int(trade.price)
        if price == BUY:
            self.buy(5, limit=100)
        elif price == SELL:
            self.sell(5, limit=100)
        elif price == CANCEL:
            self.cancel()
        elif price == GROW:
            for order in self.open_orders:
                self.replace(order, qty=8)

    def on_order(self, event: Any) -> None:
        self.heard.append(event.kind.name)


class Stage:
    """`sent` and `asked`: what left the process, over its restarts. `words`: what the venue said and nobody delivered yet.

    trader: the class of the strategy that trades.
    """

    trader: type[Strategy] = Obedient

    def __init__(self, folder: Path, mode: str = "durable", files: Files | None = None) -> None:
        self.folder, self.mode, self.files = folder / "journal", mode, files
        self.now = T0
        self.sent: list[OrderRequest] = []
        self.asked: list[Inquiry] = []
        self.words: list[Word] = []
        self.failing = False
        scale = 10 ** Portfolio([coin()], 1000).ledger.decimals
        self.venue = VenueModel(Random(0), 1, scale, {}, self.words.append, lambda delay, act: None)
        self.session = self.open()

    # ---- the session's connection

    def send(self, request: OrderRequest) -> None:
        self.sent.append(request)
        if self.failing:
            raise ConnectionResetError("connection reset by peer")

    def ask(self, inquiry: Inquiry) -> None:
        self.asked.append(inquiry)

    # ---- the process

    def build(self, sink: Sink) -> Engine:
        engine = Engine(Portfolio([coin()], 1_000_000), decision_sinks=[sink])
        engine.add_strategy(self.trader(), "s", [0])
        return engine

    def open(self) -> Session:
        self.session = open_session(
            self.folder,
            IDENTITY,
            self.build,
            self,
            clock=self.now,
            durability=self.mode,
            patience=PATIENCE,
            files=self.files,
        )
        return self.session

    def crash(self) -> None:
        """kill -9, and a new process."""
        self.session.writer._release()
        self.words.clear()
        self.wait(1)
        self.open()

    def wait(self, seconds: float) -> None:
        """Time passes, and nobody looks."""
        self.now += int(seconds * SECOND)
        self.venue.now = self.now

    def poll(self, seconds: float = 0.25) -> None:
        self.wait(seconds)
        self.session.poll(self.now)

    # ---- the venue

    def trade(self, price: int) -> None:
        self.wait(0.01)
        words = np.array([[self.now, self.now, 0, int(EventKind.TRADE), price, 1, 0, 0, 0, 0]], np.int64)
        self.session.on_market(words.view(MARKET_EVENT)[:, 0])

    def arrive(self, request: OrderRequest | None = None) -> None:
        """A request reaches the venue: the last one sent, unless said."""
        self.venue.take(self.sent[-1] if request is None else request)

    def hear(self, *words: Word) -> None:
        """What the venue said reaches us: all of it, in order, unless said."""
        for word in words or tuple(self.words):
            self.wait(0.001)
            self.session.on_report(word.report(self.now))
        if not words:
            self.words.clear()

    def answer(self) -> None:
        """The venue answers the last question."""
        self.session.on_answer(self.venue.answer(self.asked[-1], self.now), self.now)

    def settle(self) -> None:
        """The venue answers until nothing is open. Fails if it never comes to that."""
        for _ in range(40):
            self.poll(0.5)
            self.answer()
            waits = any(order.state in UNANSWERED for order in self.session.engine.open_orders())
            if self.session.phase is Phase.LIVE and not waits:
                return
        raise AssertionError(f"still {self.session.phase}, open: {self.session.engine.open_orders()}")

    def bought(self) -> Resting:
        """An order is sent, arrives, and the venue has acknowledged it, which nobody delivered yet."""
        if self.session.phase is not Phase.LIVE:
            self.settle()
        self.trade(BUY)
        self.arrive()
        return self.venue.orders[self.sent[-1].order_id]

    def act(self, what: str, **about: Any) -> bool:
        return self.session.act(SessionAct(what=what, who="TRADER", why="a test", **about), self.now)

    # ---- what there is to see

    @property
    def new_ids(self) -> list[int]:
        return [request.order_id for request in self.sent if request.kind == E.SUBMIT]

    @property
    def cancelled_ids(self) -> list[int]:
        return [request.order_id for request in self.sent if request.kind == E.CANCEL_REQUEST]

    @property
    def units(self) -> int:
        return int(self.session.engine.portfolio.holdings[0].units)

    @property
    def suspended(self) -> bool:
        return bool(self.session.engine.portfolio.holdings[0].suspended)

    def order(self, order_id: int = 1) -> Any:
        return self.session.engine.state.orders.find(order_id)

    @property
    def hash(self) -> str:
        return state_hash(self.session.engine, self.session.state)

    def agree(self) -> None:
        """Ours is the venue's truth."""
        assert self.units == self.venue.positions[0]
        ledger = self.session.engine.portfolio.ledger
        assert ledger.cash - ledger.opening == self.venue.cash
        assert {order.id for order in self.session.engine.open_orders()} == set(self.venue.open)
