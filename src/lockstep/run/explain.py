"""Why an order: the chain from an event to its end, each link with its time and how long after the one before it.

What was recorded (signal, order, verdicts of risk, transitions, fills) comes from the journal. The event, the indicators and
the numbers of each check are not recorded: the run is played again up to the order, and looked at. That costs a recording
nothing; without the data these links are missing, and `missing` says so.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lockstep.engine.records import SIGNAL, field
from lockstep.run.backtest import Backtest
from lockstep.run.journal_lines import Line
from lockstep.run.order_log import OrderLog, OrderRecord, summary_of
from lockstep.run.recorded import DataGone, Recorded, line_of
from lockstep.run.watching import watch_order
from lockstep.store.catalog.times import time_text

_KNOWN = ("sequence", "ts", "type", "strategy", "symbol", "order_id")
_OF_THE_ORDER = ("side", "order_type", "time_in_force", "flags")
"""Said once, of the order."""
_OF_RISK = ("refusal", "warning", "suspend", "lift")


def explain(recorded: Recorded, order_id: int, backtest: Callable[[], Backtest]) -> dict[str, Any]:
    """The chain of an order as plain data: `order`, `chain`, and `missing`, empty where everything is known.

    A link has `link` (event, indicators, signal, check, order, risk, transition or fill), `ts`, `after_ns` (since the link
    before), and its facts. Args: backtest: gives the recorded run; asked only once the order is found.
    Raises: UsageError: no such order. StateError: the replay does not decide what was recorded. DamagedJournal.
    """
    records = OrderLog(recorded).records(order_id)
    first = next(record for record in records if record.is_event)
    missing, seen = "", None
    try:
        seen = watch_order(recorded, backtest(), first)
    except DataGone as e:
        missing = f"event, indicators and the numbers of the checks: {e}"
    chain = _before(recorded, first, seen)
    chain += [_link_of(record) for record in records]
    if seen is None and not missing:
        missing = "event and indicators: no handler of a strategy made this order"
    return {"order": summary_of(records), "chain": _with_times(chain), "missing": missing}


def _before(recorded: Recorded, first: OrderRecord, seen: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The links that led to the order."""
    at = int(first.row[0])
    chain: list[dict[str, Any]] = []
    if seen is not None:
        event = seen["event"] or {}
        chain.append({"link": "event", "clock": at, "handler": seen["handler"], **event})
        strategy = seen["strategy"]
        facts = {"strategy": strategy["name"], "values": strategy["indicators"], "attributes": strategy["attributes"]}
        chain.append({"link": "indicators", "clock": at, **facts})
    signal = _signal(recorded, first)
    if signal is not None:
        chain.append(signal)
    if seen is not None:
        checks = seen["checks"]
        if first.line["type"] == "deny" and all(
            check["passed"] for check in checks
        ):  # a rule that is not worked out again
            checks = [*checks, {"rule": first.line["reason"], "limit": None, "actual": None, "passed": False}]
        chain += [{"link": "check", "clock": at, **check} for check in checks]
    return chain


def _signal(recorded: Recorded, first: OrderRecord) -> dict[str, Any] | None:
    """The signal an order names; None where it names none."""
    ident = int(first.row[7])
    if not ident:
        return None
    for sequences, rows in recorded.decisions():
        for at in ((field(rows[:, 2], "kind") == SIGNAL) & (rows[:, 3] == ident)).nonzero()[0]:
            line = line_of(recorded.lines, int(sequences[at]), rows[at])
            return {
                "link": "signal",
                "clock": int(rows[at][0]),
                **_rest(line),
                "reasoning": recorded.signal_words(ident),
            }
    return None


def _link_of(record: OrderRecord) -> dict[str, Any]:
    line = record.line
    kind = line["type"]
    clock = {"clock": int(record.row[0])}
    if kind in _OF_RISK:
        return {"link": "risk", **clock, "verdict": kind, **_rest(line)}
    if kind in ("submit", "deny", "display"):
        return {"link": "order", **clock, "record": kind, **_rest(line)}
    rest = {name: value for name, value in _rest(line).items() if name not in _OF_THE_ORDER}
    return {"link": "fill" if kind in ("partial", "fill") else "transition", **clock, "record": kind, **rest}


def _rest(line: Line) -> dict[str, Any]:
    """What a line says beside its place."""
    rest = {name: value for name, value in line.items() if name not in _KNOWN and value not in (None, [], "NONE")}
    if not rest.get("signal_id", 1):
        del rest["signal_id"]
    if rest.get("ts_event") == line["ts"]:
        del rest["ts_event"]
    return rest


def _with_times(chain: list[dict[str, Any]]) -> list[dict[str, Any]]:
    timed = []
    before = chain[0]["clock"]
    for entry in chain:
        clock = entry.pop("clock")
        named = {"link": entry.pop("link"), "ts": time_text(clock), "after_ns": clock - before}
        known_at = entry.pop("ts", None)
        timed.append(named | ({"known_at": known_at} if known_at not in (None, named["ts"]) else {}) | entry)
        before = clock
    return timed
