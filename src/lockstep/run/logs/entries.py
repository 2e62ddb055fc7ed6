"""One entry of a log: how a decision, a remark of the run or a record of Python's logging becomes a line of JSON.

Every line has `timestamp` (ISO, nanoseconds, UTC, the engine's clock), `level`, `component`, `event_type` and `message`;
where they apply `order_id`, `symbol` and `strategy`; everything else stands in `data`.
"""

import json
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from numbers import Integral
from typing import Any

import msgspec

from lockstep.model.numbers import NANOS_PER_SECOND

MESSAGE_MAX = 8192
"""Characters of a message that are kept: a line is for reading."""
_WHOLE_MAX = 2**127
_DEPTH_MAX = 8
ABOUT = ("order_id", "symbol", "strategy")
Fields = Mapping[str, Any]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one line says. stream: `system`, `orders` or `trades`; about: order_id, symbol, strategy where they apply."""

    ts: int
    level: int
    component: str
    event_type: str
    message: str
    stream: str = "system"
    about: Fields = {}
    data: Fields = {}


def line_of(entry: Entry) -> bytes:
    """The entry as one line of ASCII JSON: no control or bidirectional character reaches a terminal as it is."""
    facts: dict[str, Any] = {
        "timestamp": nano_text(entry.ts),
        "level": logging.getLevelName(entry.level),
        "component": entry.component,
        "event_type": entry.event_type,
        "message": shortened(entry.message),
    }
    facts |= {name: _plain(entry.about[name]) for name in ABOUT if entry.about.get(name) is not None}
    if entry.data:
        facts["data"] = _plain(entry.data)
    return json.dumps(facts, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def entry_of(record: logging.LogRecord, component: str, ts: int) -> Entry:
    """A record of Python's logging as an entry. `extra=` may name order_id, symbol, strategy, and data (a mapping).

    What it names is read now: by the time the line is written a list may have grown.
    """
    given = vars(record)
    data = given.get("data")
    held: dict[str, Any] = _plain(data) if isinstance(data, Mapping) else {}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        held |= {"error": type(error).__name__, "error_message": _text(error)}
    try:
        message = record.getMessage()
    except Exception as e:  # noqa: BLE001 - neither a wrong format nor an object without a text may end a run
        message, held = _text(record.msg), held | {"log_error": f"{type(e).__name__}: {_text(e)}"}
    return Entry(
        ts=ts,
        level=record.levelno,
        component=component,
        event_type="message",
        message=message,
        about={name: _plain(given[name]) for name in ABOUT if name in given},
        data=held,
    )


def nano_text(ts: int) -> str:
    """ns UTC as ISO text that always has nine decimals, so that lines sort by their text."""
    seconds, nanos = divmod(ts, NANOS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def shortened(text: str) -> str:
    """The text, or its beginning and how long it was."""
    return text if len(text) <= MESSAGE_MAX else f"{text[:MESSAGE_MAX]}... ({len(text):,} characters)"


def _plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it: exact numbers as texts, no NaN, keys as texts. It never raises."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Integral) and abs(int(value)) < _WHOLE_MAX:
        return int(value)  # numpy's, too
    if depth < _DEPTH_MAX:
        if isinstance(value, Mapping):
            return {_text(name): _plain(inner, depth + 1) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [_plain(inner, depth + 1) for inner in value]
    return shortened(_text(value))


def _text(value: object) -> str:
    """Its text, or what it is where it has none."""
    try:
        return str(value)
    except Exception as e:  # noqa: BLE001 - a strategy's own object
        return f"<{type(value).__name__} without a text: {type(e).__name__}>"
