"""The engine's decision log as entries: every command, order event, signal and corporate action, in a sentence and in fields."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.run.journal_lines import JournalLines, type_of
from lockstep.run.logs.entries import ABOUT, Entry
from lockstep.run.logs.levels import Levels
from lockstep.store.journal.layout import Record, RecordKind

_DEBUG, _INFO, _WARNING, _ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR
_CRITICAL = logging.CRITICAL
# Of each record: component, stream, level. What is not named here is told by the run, at INFO.
_KINDS: dict[str, tuple[str, str, int]] = {
    "submit": ("orders", "orders", _INFO),
    "deny": ("risk", "orders", _WARNING),
    "cancel_request": ("orders", "orders", _DEBUG),
    "replace_request": ("orders", "orders", _DEBUG),
    "lose": ("orders", "orders", _ERROR),
    "accept": ("orders", "orders", _DEBUG),
    "reject": ("orders", "orders", _WARNING),
    "trigger": ("orders", "orders", _DEBUG),
    "partial": ("orders", "trades", _INFO),
    "fill": ("orders", "trades", _INFO),
    "cancel": ("orders", "orders", _INFO),
    "cancel_reject": ("orders", "orders", _WARNING),
    "replace": ("orders", "orders", _INFO),
    "replace_reject": ("orders", "orders", _WARNING),
    "expire": ("orders", "orders", _INFO),
    "restate": ("orders", "orders", _DEBUG),
    "correct": ("orders", "trades", _WARNING),
    "bust": ("orders", "trades", _WARNING),
    "link": ("orders", "orders", _DEBUG),
    "display": ("orders", "orders", _DEBUG),
    "orphan": ("orders", "orders", _ERROR),
    "signal": ("strategy", "system", _INFO),
    "refusal": ("risk", "orders", _INFO),
    "warning": ("risk", "orders", _WARNING),
    "suspend": ("risk", "system", _ERROR),
    "lift": ("risk", "system", _WARNING),
    "kill": ("risk", "system", _CRITICAL),
    "reset": ("risk", "system", _WARNING),
    "limits": ("risk", "system", _WARNING),
    "margin_call": ("portfolio", "system", _ERROR),
    "margin_clear": ("portfolio", "system", _WARNING),
}
_OTHER = ("portfolio", "system", _INFO)
_LEFT_OUT = {"sequence", "ts", "type", *ABOUT}
Line = Mapping[str, Any]


class DecisionEntries:
    """Entries of decision rows. names: of the strategies and instruments the rows speak of."""

    def __init__(self, names: JournalLines, levels: Levels) -> None:
        self._names = names
        self._levels = levels

    def of(self, block: NDArray[np.int64]) -> Iterator[Entry]:
        """The entries of a block of rows, int64 [n, 8], in order, but those below their component's level."""
        for row in block:
            record = Record(0, int(row[0]), int(row[1]), int(RecordKind.DECISION), row.tobytes())
            kind = type_of(record)
            component, stream, level = _KINDS.get(kind, _OTHER)
            if level < self._levels.of(component):
                continue
            line = self._names.line(record)
            yield Entry(
                ts=record.ts,
                level=level,
                component=component,
                event_type=kind,
                message=sentence(kind, line),
                stream=stream,
                about={name: line[name] for name in ABOUT if line.get(name) is not None},
                data={name: value for name, value in line.items() if name not in _LEFT_OUT and value not in (None, [])},
            )


def sentence(kind: str, line: Line) -> str:
    """What happened, in words: `fill of order 7: buy 100 AAPL at 56.75, 100 filled`."""
    words = kind.replace("_", " ")
    if "side" not in line:
        return _without_an_order(words, line)
    told = f"{words} of order {line['order_id']}: {_word(line.get('side'))} "
    if "qty" in line:
        told += f"{line['qty']} "
    told += f"{line.get('symbol')}"
    if "price" in line:
        told += f" at {line['price']}, {line['cumulative']} filled"
    elif "qty" in line:
        prices = [f"{name} {line[f'{name}_price']}" for name in ("limit", "stop") if line.get(f"{name}_price")]
        told += f", {', '.join([_word(line.get('order_type')), *prices, _word(line.get('time_in_force'))])}"
    elif "cumulative" in line:
        told += f", {line['cumulative']} filled"
    if line.get("reason") not in (None, "NONE"):
        told += f": {_word(line['reason'])}"
    return told


def _without_an_order(words: str, line: Line) -> str:
    """A sentence about what is no event of an order, though it may name one: `warning of order 7: AAPL position 95, limit 100`."""
    told = f"{words} of order {line['order_id']}:" if line.get("order_id") else f"{words}:"
    about = [line.get("symbol"), _word(line["rule"]) if "rule" in line else None, line.get("action")]
    if "actual" in line:
        about += [_figure(line["actual"]) + ",", f"limit {_figure(line['limit'])}"]
    elif "margin_maintenance" in line:
        about += [f"equity {_figure(line['equity'])},", f"maintenance margin {_figure(line['margin_maintenance'])}"]
    if "display_qty" in line:
        about.append(f"{line['display_qty']} at a time")
    if "received" in line:
        about.append(_figure(line["received"]))
    if line.get("who"):
        about.append(f"by {_word(line['who'])}")
    parts = [str(part) for part in about if part is not None]
    return " ".join([told, *parts]) if parts else words


def _figure(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _word(value: Any) -> str:
    return str(value).lower().replace("_", " ")
