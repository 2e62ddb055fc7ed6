"""The orders of a recording: what became of each, and every record about one. From the journal alone, no data needed."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.engine.records import DIVIDEND, SIGNAL, SPLIT, field
from lockstep.model.enums import OrderEventKind, OrderState
from lockstep.model.errors import UsageError, did_you_mean
from lockstep.run.journal_lines import Line
from lockstep.run.recorded import Recorded, line_of

_NOT_ABOUT_ORDERS = (SIGNAL, SPLIT, DIVIDEND)
_EVENTS = [int(kind) for kind in OrderEventKind]
_NEAREST = 4
_TERMS = ("submit", "deny", "restate", "replace")
"""Records that say what is asked of the venue, confirmed or the first."""


class OrderRecord(NamedTuple):
    """One record about an order. row: of the decision log; line: the same under names."""

    sequence: int
    row: NDArray[np.int64]
    line: Line

    @property
    def is_event(self) -> bool:
        """Whether the order moved with it; anything else, such as a verdict of risk, stands beside."""
        return int(field(self.row[2:3], "kind")[0]) in _EVENTS


class OrderLog:
    """Every order of a recording, by id. Raises: DamagedJournal."""

    def __init__(self, recorded: Recorded) -> None:
        self._lines = recorded.lines
        self._symbols = recorded.symbols
        self._folder = recorded.folder
        self._broken_off = recorded.broken_off
        sequences, rows = recorded.all_decisions()
        kinds = field(rows[:, 2], "kind")
        about = np.flatnonzero(~np.isin(kinds, _NOT_ABOUT_ORDERS) & (rows[:, 3] > 0))
        about = about[np.argsort(rows[about, 3], kind="stable")]  # by order, each in the order of time
        self._sequences, self._rows = sequences[about], rows[about]
        events = np.flatnonzero(np.isin(kinds[about], _EVENTS))
        ids, firsts = np.unique(self._rows[events, 3], return_index=True)
        self.ids: NDArray[np.int64] = ids
        self._last = events[np.append(firsts[1:], len(events)) - 1] if len(ids) else events
        self._starts = np.searchsorted(self._rows[:, 3], ids, "left")
        self._ends = np.searchsorted(self._rows[:, 3], ids, "right")

    def records(self, order_id: int) -> list[OrderRecord]:
        """Every record about an order, in the order of time.

        Raises: UsageError: there is no such order; the message names those nearest to it.
        """
        at = int(np.searchsorted(self.ids, order_id))
        if at == len(self.ids) or self.ids[at] != order_id:
            raise UsageError(f"{self._folder}: there is no order {order_id}", hint=self._nearest(order_id))
        return self._records(at)

    def _nearest(self, order_id: int) -> str:
        if not len(self.ids):
            return self._broken_off or "the run made none"
        near = np.argsort(np.abs(self.ids.astype(float) - order_id), kind="stable")[:_NEAREST]
        shown = ", ".join(str(self.ids[k]) for k in np.sort(near))
        return f"nearest: {shown}; orders go from {self.ids[0]} to {self.ids[-1]}"

    def _records(self, at: int) -> list[OrderRecord]:
        return [
            OrderRecord(
                int(self._sequences[k]), self._rows[k], line_of(self._lines, int(self._sequences[k]), self._rows[k])
            )
            for k in range(self._starts[at], self._ends[at])
        ]

    def summaries(self, states: Sequence[str] = (), symbols: Sequence[str] = ()) -> Iterator[Line]:
        """What became of each order: those in one of these states, of one of these symbols; all where none is named.

        Raises: UsageError: no such state, or a symbol that the run does not have.
        """
        heads = self._rows[self._last, 2]
        chosen = np.ones(len(self.ids), bool)
        if states:
            wanted = [_named(word, [state.name for state in OrderState], "state of an order") for word in states]
            chosen &= np.isin(field(heads, "state"), [OrderState[name] for name in wanted])
        if symbols:
            wanted = [_named(word, self._symbols, "symbol in the run") for word in symbols]
            chosen &= np.isin(field(heads, "instrument"), [self._symbols.index(name) for name in wanted])
        return (self._summary(int(at)) for at in np.flatnonzero(chosen))

    def _summary(self, at: int) -> Line:
        return summary_of(self._records(at))


def summary_of(records: Sequence[OrderRecord]) -> Line:
    """What an order was, and what became of it: prices and quantities as exact texts, as the venue last confirmed them."""
    lines = [record.line for record in records if record.is_event]
    shown = [record.line for record in records if record.line["type"] == "display"]
    first, last = lines[0], lines[-1]
    terms = next(line for line in reversed(lines) if line["type"] in _TERMS or line is first)
    return {
        "id": first["order_id"],
        "ts": first["ts"],
        "strategy": first["strategy"],
        "symbol": first["symbol"],
        "side": first["side"],
        "type": first["order_type"],
        "qty": terms.get("qty"),
        "display_qty": shown[-1]["display_qty"] if shown else None,
        "limit_price": terms.get("limit_price"),
        "stop_price": terms.get("stop_price"),
        "time_in_force": first["time_in_force"],
        "filled": last.get("cumulative", "0"),
        "average_price": _average(lines),
        "state": last["state"],
        "reason": last["reason"],
        "signal_id": first.get("signal_id") or None,
        "last_ts": last["ts"],
    }


def _average(lines: Sequence[Line]) -> float | None:
    """Of the executions that stand, weighted by quantity; a split between two of them is not undone."""
    executed: dict[int, tuple[Decimal, Decimal]] = {}
    for line in lines:
        if line["type"] in ("partial", "fill", "correct"):
            executed[line["execution_id"]] = Decimal(line["qty"]), Decimal(line["price"])
        elif line["type"] == "bust":
            executed.pop(line["execution_id"], None)
    quantity = sum((qty for qty, _ in executed.values()), Decimal())
    return float(sum((qty * price for qty, price in executed.values()), Decimal()) / quantity) if quantity else None


def _named(word: str, known: Sequence[str], what: str) -> str:
    upper = word.strip().upper()
    for name in known:
        if name.upper() == upper:
            return name
    raise UsageError(f"{word!r} is no {what}", hint=did_you_mean(upper, known))
