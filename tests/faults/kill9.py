"""A real process, killed for good (SIGKILL) at each instrumented point, on a real disk; the venue lives in another one.

    python tests/faults/kill9.py --times 100

The process trades, and kills itself at the n-th pass of one point. The next one recovers, asks the venue, trades on, and is
killed in its turn or left to end quietly. Then: no order reached the venue as new twice, every act that was acknowledged is
still known, and positions, cash and open orders are the venue's. The last line is JSON.
"""

import argparse
import json
import os
import signal
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
from machine import SECOND, T0, coin
from trader import Trader
from venue_model import HABITS, VenueModel, Word

from lockstep.engine.engine import Engine
from lockstep.engine.rowlog import Sink
from lockstep.model.enums import EventKind
from lockstep.model.enums import OrderEventKind as E
from lockstep.model.record import MARKET_EVENT
from lockstep.model.saved import restore_report, restore_request, save_report, save_request
from lockstep.model.traffic import OrderRequest
from lockstep.portfolio.portfolio import Portfolio
from lockstep.run.inputs import SessionAct
from lockstep.run.reconcile import Inquiry, OrderAtVenue, VenueAnswer
from lockstep.run.session import Patience, Phase, open_session
from lockstep.store.journal.files import Files

POINTS = (
    "write before", "write after", "sync before", "sync after", "rename before", "rename after", "send before", "send after",
    "receive before", "receive after", "act before", "act after", "snapshot before", "snapshot after", "open before",
    "open after",
)  # fmt: skip
PASSES = {"open": 1, "snapshot": 3, "rename": 4, "act": 9}
"""The fuse burns at the k-th pass, up to this many where a process passes a point seldom; else up to 60."""
EVENTS = 120  # market events in the life of one process
MILLI = SECOND // 1000
PATIENCE = Patience(answer=200 * MILLI, window=400 * MILLI, ask=100 * MILLI, check=SECOND)
COINS = [coin("AAA"), coin("BBB")]
_SIZE = struct.Struct("<I")


class Wire:
    """Messages over a socket, each with its length before it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def put(self, message: Any) -> None:
        data = msgspec.msgpack.encode(message)
        self._end.sendall(_SIZE.pack(len(data)) + data)

    def get(self) -> Any:
        """Raises: EOFError: the other side is gone."""
        (size,) = _SIZE.unpack(self._exactly(_SIZE.size))
        return msgspec.msgpack.decode(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size:
            part = self._end.recv(size - len(parts))
            if not part:
                raise EOFError
            parts += part
        return parts


class Fuse:
    """Kills this process at the n-th pass of one point; never, where n is 0."""

    def __init__(self, point: str, n: int) -> None:
        self._point, self._left = point, n

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class FusedFiles(Files):
    """The real file system with fuses in it."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    def write(self, number: int, data: memoryview) -> int:
        self._fuse("write before")
        half = super().write(number, data[: len(data) // 2 or 1])  # a kill between two writes tears the block
        self._fuse("write after")
        return half

    def sync(self, number: int) -> None:
        self._fuse("sync before")
        super().sync(number)
        self._fuse("sync after")

    def rename(self, old: Path, new: Path) -> None:
        self._fuse("rename before")
        super().rename(old, new)
        self._fuse("rename after")


# ---- the process that trades


class Child:
    """One life of it. It speaks to the venue alone, and tells it what it has acknowledged."""

    def __init__(self, folder: Path, wire: Wire, fuse: Fuse, life: int, seed: int) -> None:
        self._wire, self._fuse, self._seed = wire, fuse, seed
        self._now = T0 + life * 1000 * SECOND
        self._chance = Random(f"market {seed} {life}")
        self._price = 100
        fuse("open before")
        self.session = open_session(
            folder, {"of": "kill -9"}, self._build, self, clock=self._now, durability="durable", patience=PATIENCE,
            files=FusedFiles(fuse), segment_bytes=16 * 1024,
        )  # fmt: skip
        fuse("open after")

    def _build(self, sink: Sink) -> Engine:
        engine = Engine(Portfolio(COINS, 10_000_000, leverage_max=5.0), decision_sinks=[sink])
        engine.add_strategy(Trader(self._seed), "one", [0, 1])
        return engine

    def send(self, request: OrderRequest) -> None:
        self._fuse("send before")
        self._wire.put(["request", save_request(request)])
        self._fuse("send after")

    def ask(self, inquiry: Inquiry) -> None:
        self._wire.put(["ask", inquiry.number, inquiry.since, list(inquiry.order_ids)])

    def live(self, events: int) -> None:
        """Trade; then, if still alive, wait for quiet and tell how things stand."""
        for k in range(events):
            self._exchange()
            self._market()
            self.session.on_timer(self._now)
            self.session.poll(self._now)
            if k % 23 == 7:
                self._act("suspend", 1)
            if k % 23 == 15:
                self._act("lift", 1)
            if k % 40 == 20:
                self._fuse("snapshot before")
                self.session.snapshot()
                self._fuse("snapshot after")
        self._quieten()

    def _quieten(self) -> None:
        self._wire.put(["calm"])
        for _ in range(120):
            self._exchange()
            self._now += 50 * MILLI
            self.session.poll(self._now)
        portfolio = self.session.engine.portfolio
        self._wire.put(
            [
                "end",
                {
                    "live": self.session.phase is Phase.LIVE,
                    "units": [holding.units for holding in portfolio.holdings],
                    "suspended": [holding.suspended for holding in portfolio.holdings],
                    "cash": portfolio.ledger.cash - portfolio.ledger.opening,
                    "open": [order.id for order in self.session.engine.open_orders()],
                },
            ]
        )
        self.session.close()

    def _act(self, what: str, instrument: int) -> None:
        self._fuse("act before")
        safe = self.session.act(SessionAct(what=what, who="TRADER", why="drill", instrument=instrument), self._now)
        if safe:
            self._wire.put(["acknowledged", what, instrument])
        self._fuse("act after")

    def _market(self) -> None:
        self._now += 10 * MILLI
        self._price = max(50, min(200, self._price + self._chance.randrange(-1, 2)))
        which = self._chance.randrange(2)
        words = np.array(
            [[self._now, self._now, 0, int(EventKind.TRADE) | which << 32, self._price, 1, 0, 0, 0, 0]], np.int64
        )
        self.session.on_market(words.view(MARKET_EVENT)[:, 0])

    def _exchange(self) -> None:
        """Whatever the venue has said since."""
        self._wire.put(["now", self._now])
        for kind, said in self._wire.get():
            self._fuse("receive before")
            if kind == "report":
                self.session.on_report(restore_report(said))
            else:
                self.session.on_answer(_answer_of(said), self._now)
            self._fuse("receive after")


def _answer_of(said: Any) -> VenueAnswer:
    return VenueAnswer(
        number=said["number"],
        ts=said["ts"],
        orders=tuple(msgspec.convert(order, OrderAtVenue) for order in said["orders"]),
        executions=tuple(restore_report(report) for report in said["executions"]),
        positions={int(k): v for k, v in said["positions"].items()},
    )


# ---- the venue, and whoever starts the process again


class Parent:
    """A venue that outlives the processes, and what it saw."""

    def __init__(self, seed: int) -> None:
        self._words: list[Word] = []
        self._later: list[tuple[int, Any]] = []
        self._answers: list[VenueAnswer] = []
        scale = 10 ** Portfolio(COINS, 1).ledger.decimals
        habits = {name: rate for name, rate in HABITS.items() if name != "overfill"}
        self.venue = VenueModel(Random(f"venue {seed}"), 2, scale, habits, self._words.append, self._do_later)
        self.new: Counter[int] = Counter()
        self.wanted: dict[int, bool] = {}  # instrument -> suspended, as acknowledged last
        self.end: dict[str, Any] | None = None

    def _do_later(self, delay: int, act: Any) -> None:
        self._later.append((self.venue.now + delay // 10, act))

    def serve(self, wire: Wire) -> bool:
        """Until the process is gone. Returns: whether it ended by itself."""
        self._words.clear()
        self._answers.clear()
        self.end = None
        try:
            while True:
                self._take(wire, wire.get())
        except (EOFError, ConnectionError):
            return self.end is not None

    def _take(self, wire: Wire, message: Any) -> None:
        kind, *given = message
        if kind == "now":
            self._pass_time(given[0])
            said = [("report", save_report(word.report(given[0]))) for word in self._words]
            said += [("answer", self._plain(answer)) for answer in self._answers]
            self._words.clear()
            self._answers.clear()
            wire.put(said)
        elif kind == "request":
            request = restore_request(given[0])
            if request.kind == E.SUBMIT:
                self.new[request.order_id] += 1
            self.venue.take(request)
        elif kind == "ask":
            number, since, order_ids = given
            self._answers.append(
                self.venue.answer(Inquiry(number, since, dict.fromkeys(order_ids, (0, 0))), self.venue.now)
            )
        elif kind == "acknowledged":
            self.wanted[given[1]] = given[0] == "suspend"
        elif kind == "calm":
            self.venue.calm = True
        else:
            self.end = given[0]

    def _pass_time(self, now: int) -> None:
        self.venue.now = now
        due, self._later = [e for e in self._later if e[0] <= now], [e for e in self._later if e[0] > now]
        for _, act in due:
            act()

    def _plain(self, answer: VenueAnswer) -> dict[str, Any]:
        return {
            "number": answer.number,
            "ts": answer.ts,
            "orders": [msgspec.to_builtins(order) for order in answer.orders],
            "executions": [save_report(report) for report in answer.executions],
            "positions": {str(k): v for k, v in answer.positions.items()},
        }

    def verdict(self) -> str:
        """What is wrong after a quiet end; empty where nothing is."""
        twice = [order_id for order_id, times in self.new.items() if times > 1]
        if twice:
            return f"sent as new twice: {twice}"
        end = self.end
        if end is None or not end["live"]:
            return f"no quiet end: {end}"
        if end["units"] != [self.venue.positions[k] for k in range(2)]:
            return f"positions {end['units']}, the venue's are {self.venue.positions}"
        if end["cash"] != self.venue.cash:
            return f"cash {end['cash']}, the venue's is {self.venue.cash}"
        if set(end["open"]) != set(self.venue.open):
            return f"open {end['open']}, at the venue {sorted(self.venue.open)}"
        lost = [k for k, suspended in self.wanted.items() if suspended and not end["suspended"][k]]
        return f"acknowledged and lost: the suspension of {lost}" if lost else ""


def one_story(folder: Path, point: str, n: int, seed: int) -> tuple[str, int]:
    """A life that is cut short at a point, another that is too, and one that ends quietly. Returns: what is wrong, kills."""
    parent, kills = Parent(seed), 0
    for life in range(3):
        fuse = Fuse(point, n if life < 2 else 0)
        ended, status = _one_life(parent, folder, fuse, life, seed)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        kills += killed
        if not killed and (status or not ended):
            return f"life {life} ended with status {status}", kills
        if ended and (wrong := parent.verdict()):
            return wrong, kills
        parent.venue.calm = False
    return "", kills


def _one_life(parent: Parent, folder: Path, fuse: Fuse, life: int, seed: int) -> tuple[bool, int]:
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        status = 1
        try:
            Child(folder, Wire(theirs), fuse, life + 1, seed).live(EVENTS if life < 2 else EVENTS // 2)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    theirs.close()
    with ours:
        ended = parent.serve(Wire(ours))
    return ended, os.waitpid(child, 0)[1]


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=100, help="stories a point")
    asked.add_argument("--points", nargs="*", default=list(POINTS))
    given = asked.parse_args()
    started, kills, wrong = time.monotonic(), Counter[str](), []
    for point in given.points:
        for k in range(given.times):
            with tempfile.TemporaryDirectory() as folder:
                n = 1 + k * 7 % PASSES.get(point.split()[0], 60)
                found, count = one_story(Path(folder), point, n, seed=k)
            kills[point] += count
            if found:
                wrong.append({"point": point, "story": k, "what": found})
                print(f"{point}, story {k}: {found}", flush=True)
    print(
        json.dumps(
            {
                "points": len(given.points),
                "stories": len(given.points) * given.times,
                "kills": sum(kills.values()),
                "failures": len(wrong),
                "failed": wrong,
                "seconds": round(time.monotonic() - started, 1),
                "kills_by_point": dict(kills),
            }
        )
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
