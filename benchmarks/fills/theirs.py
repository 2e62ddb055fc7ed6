"""hftbacktest's side, from here: its input written, its program run in its own environment, its outcome read."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.fills.ours import OUTCOME, lanes_of
from benchmarks.fills.schedule import ENTRY_NS, RESPONSE_NS, Given
from benchmarks.peers.environments import PeerEnvironment, Unavailable, ensure_environment, last_line
from benchmarks.processes import ROOT
from lockstep.model.enums import BookAction, EventKind
from lockstep.model.errors import DataError, UsageError
from lockstep.model.record import BOOK_ACTION, BOOK_FULL

PEER = "hftbacktest"
PROGRAM = "benchmarks.peers.hftbacktest_fills"
EVENT = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ]
)
_DEPTH, _TRADE, _CLEAR, _SNAPSHOT = 1, 2, 3, 4
_SEEN = 1 << 31 | 1 << 30  # by the exchange, and by us
_BUY, _SELL = 1 << 29, 1 << 28


def environment() -> PeerEnvironment:
    """Where hftbacktest is installed. Raises: UsageError: it cannot be here, and why."""
    found = ensure_environment(PEER)
    if isinstance(found, Unavailable):
        raise UsageError(f"hftbacktest: {found.note}")
    return found


def events_of(given: Given) -> NDArray[np.void]:
    """The same records in hftbacktest's layout; what a book is (STATUS) has no counterpart there and is left out."""
    records = given.records
    action = records["flags"] & BOOK_ACTION
    is_book = records["kind"] == EventKind.BOOK
    kept = ~is_book | (action == BookAction.SET) | (action == BookAction.CLEAR)
    records, action, is_book = records[kept], action[kept], is_book[kept]
    events = np.zeros(len(records), EVENT)
    side = records["aux"].astype(np.int64) - 2  # of the book's level; of a trade, whose taker it was
    what = np.where(is_book, np.where(records["flags"] & BOOK_FULL, _SNAPSHOT, _DEPTH), _TRADE)
    clears = is_book & (action == BookAction.CLEAR)
    what = np.where(clears, _CLEAR, what)
    sides = np.where(side > 0, _BUY, _SELL)
    sides = np.where(clears, 0, sides)
    events["ev"] = what | sides | _SEEN
    events["exch_ts"] = events["local_ts"] = records["clock"]
    events["px"] = records["p0"] / 10.0**given.instrument.price_decimals
    events["qty"] = records["p1"] / 10.0**given.instrument.qty_decimals
    return events


def input_of(given: Given, lanes: Sequence[Sequence[int]]) -> dict[str, NDArray[np.generic] | float | int]:
    """What the program reads."""
    prices, quantities = 10.0**given.instrument.price_decimals, 10.0**given.instrument.qty_decimals
    orders = given.orders
    number = np.arange(len(orders))
    lane = np.zeros(len(orders), np.int64)
    for k, members in enumerate(lanes):
        lane[members] = k
    sends = np.stack([orders["send"], number, np.zeros_like(number)], axis=1)
    cancels = np.stack([orders["cancel"], number, np.ones_like(number)], axis=1)
    actions = np.concatenate([sends, cancels])
    return {
        "events": events_of(given),
        "actions": actions[np.lexsort((actions[:, 1], actions[:, 0]))],
        "side": orders["side"].copy(),
        "price": orders["price"] / prices,
        "qty": orders["qty"] / quantities,
        "kind": orders["kind"].copy(),
        "tick": given.instrument.tick_size / prices,
        "lane": lane,
        "lot": given.instrument.lot_size / quantities,
        "entry": ENTRY_NS,
        "response": RESPONSE_NS,
    }


class Theirs(NamedTuple):
    """What became of each order, and while which of them the simulator stopped with an error."""

    outcome: NDArray[np.void]
    stopped: NDArray[np.bool_]


def their_fills(
    given: Given, model: str, power: float, where: PeerEnvironment, lanes: Sequence[Sequence[int]] | None = None
) -> Theirs:
    """What became of each order there, by default alone. Raises: DataError: its program failed."""
    with tempfile.TemporaryDirectory(prefix="lockstep-fills-") as folder:
        put, got = Path(folder) / "given.npz", Path(folder) / "got.npz"
        np.savez(put, **input_of(given, lanes or lanes_of(given.orders)))  # type: ignore[arg-type]
        command = [str(where.python), "-m", PROGRAM, str(put), str(got), model, str(power)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise DataError(f"hftbacktest: {last_line(done.stderr)}")
        with np.load(got) as file:
            raw = dict(file)
    found = np.zeros(len(given.orders), OUTCOME)
    found["filled"] = np.rint(raw["filled"] * 10.0**given.instrument.qty_decimals)
    found["first"], found["last"] = raw["first"], raw["last"]
    found["price"] = np.where(found["filled"] > 0, raw["tick"] * given.instrument.tick_size, 0)
    return Theirs(found, raw["stopped"] > 0)
