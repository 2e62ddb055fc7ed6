"""One entry of a log: how a decision, a remark of the run or a record of Python's logging becomes a line of JSON.

Every line has `timestamp` (ISO, nanoseconds, UTC, the engine's clock), `level`, `component`, `event_type` and `message`;
where they apply `order_id`, `symbol` and `strategy`; everything else stands in `data`.
"""

import json
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from lockstep.model.numbers import NANOS_PER_SECOND

MESSAGE_MAX = 8192
"""Characters of a message that are kept: a line is for reading."""
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
    facts |= {name: entry.about[name] for name in ABOUT if entry.about.get(name) is not None}
    if entry.data:
        facts["data"] = _plain(entry.data)
    return json.dumps(facts, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def entry_of(record: logging.LogRecord, component: str, ts: int) -> Entry:
    """A record of Python's logging as an entry. `extra=` may name order_id, symbol, strategy, and data (a mapping)."""
    given = vars(record)
    data = given.get("data")
    held: dict[str, Any] = dict(data) if isinstance(data, Mapping) else {}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        held |= {"error": type(error).__name__, "error_message": str(error)}
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError) as e:  # a wrong format string must not take the log with it
        message, held = str(record.msg), held | {"log_error": f"{type(e).__name__}: {e}"}
    return Entry(
        ts=ts,
        level=record.levelno,
        component=component,
        event_type="message",
        message=message,
        about={name: given[name] for name in ABOUT if name in given},
        data=held,
    )


def nano_text(ts: int) -> str:
    """ns UTC as ISO text that always has nine decimals, so that lines sort by their text."""
    seconds, nanos = divmod(ts, NANOS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def shortened(text: str) -> str:
    """The text, or its beginning and how long it was."""
    return text if len(text) <= MESSAGE_MAX else f"{text[:MESSAGE_MAX]}... ({len(text):,} characters)"


def _plain(value: Any) -> Any:
    """The value as JSON has it: exact numbers as texts, no NaN, keys as texts."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    return shortened(str(value))
