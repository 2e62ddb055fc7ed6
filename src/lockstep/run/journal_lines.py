"""A journal's records as plain data under names: what `lockstep journal` prints, one JSON object a record.

The decision log's words get the names of `engine.records`, market events those of `model.record`. Symbols, strategies and
decimals come from the identity that the journal begins with; where it names none, indexes and units stand alone.
"""

import struct
from collections.abc import Mapping
from typing import Any

from lockstep.engine.records import (
    BORROW,
    DISPLAY,
    DIVIDEND,
    FUNDING,
    HEAD,
    IN_LIEU,
    KILL,
    LIFT,
    LIMITS,
    LINK,
    LINK_ROLES,
    MARGIN_CALL,
    MARGIN_CLEAR,
    ORPHAN,
    RECORD_NAMES,
    REFUSAL,
    RESET,
    SIGNAL,
    SPLIT,
    SUSPEND,
    WARNING,
    WHO,
)
from lockstep.model.enums import (
    BookAction,
    CorporateAction,
    EventKind,
    Liquidity,
    OrderEventKind,
    OrderFlag,
    OrderState,
    OrderType,
    Reason,
    Side,
    SignalAction,
    TimeInForce,
    Who,
)
from lockstep.model.numbers import text_from_fixed
from lockstep.model.record import CARRIED
from lockstep.store.catalog.times import time_text
from lockstep.store.journal.layout import Record, RecordKind

TYPES = frozenset(RECORD_NAMES.values()) | {kind.name.lower() for kind in EventKind}
"""What records of the engine and of the market are called; a fact has its own type."""
_DECISION = struct.Struct("<8q")
_DOUBLE = struct.Struct("<d")
_SIGNAL = struct.Struct("<3d")
_LIMIT = struct.Struct("<2d")
_MARKET = struct.Struct("<qqqBBHIqqqqdq")
_KIND_BITS = 0x3F
_FRESH = {int(OrderEventKind.SUBMIT), int(OrderEventKind.DENY)}
_TERMS = _FRESH | {int(OrderEventKind[name]) for name in ("RESTATE", "REPLACE_REQUEST", "REPLACE")}
_EXECUTED = {int(OrderEventKind.PARTIAL), int(OrderEventKind.FILL)}
_FILLED = _EXECUTED | {int(OrderEventKind.CORRECT), int(OrderEventKind.BUST)}
_SIDE_OFFSET = 2
Line = dict[str, Any]


def type_of(record: Record) -> str:
    """What a record is called: submit, fill, ... of a decision; bar, trade, ... of a market event; a fact's own type."""
    match record.kind:
        case RecordKind.DECISION:
            kind = record.payload[16] & _KIND_BITS
            return RECORD_NAMES.get(kind, f"decision_{kind}")
        case RecordKind.MARKET:
            kind = record.payload[24]
            name = _name(EventKind, kind)
            return name.lower() if isinstance(name, str) else f"market_{kind}"
    return str(record.fact()["type"])


class JournalLines:
    """Names for the records of one journal. identity: what its first record says it is of; None where that is not known."""

    def __init__(self, identity: Mapping[str, Any] | None) -> None:
        known = identity or {}
        self._instruments: list[Mapping[str, Any]] = [*known.get("instruments", ())]
        # A strategy of one instrument has a seat for each: it is the seats that records count.
        self._strategies: list[Any] = [*(known.get("seats") or known.get("strategies", ()))]

    def line(self, record: Record) -> Line:
        """A record as plain data: sequence, ts and ts_event (ISO, ns), type, then what its kind has."""
        line: Line = {
            "sequence": record.sequence,
            "ts": time_text(record.ts),
            "ts_event": time_text(record.ts_event) if record.ts_event else None,
            "type": type_of(record),
        }
        match record.kind:
            case RecordKind.DECISION:
                return line | self._decision(record.payload)
            case RecordKind.MARKET:
                return line | self._market(record.payload)
        fact = record.fact()
        at = (
            {"at": time_text(fact["ts"])} if isinstance(fact.get("ts"), int) else {}
        )  # its own time, where it tells one
        return line | at | {name: value for name, value in fact.items() if name not in line}

    def _decision(self, payload: bytes) -> Line:
        _, ts_event, head, ident, a, b, c, d = _DECISION.unpack(payload)
        kind = _field(head, "kind")
        instrument = _field(head, "instrument")
        line: Line = {"symbol": self._symbol(instrument), "strategy": self._strategy(_field(head, "strategy"))}
        if kind == SPLIT:
            return {"symbol": line["symbol"], "new_shares": a, "old_shares": b}
        if kind in (DIVIDEND, FUNDING, BORROW):
            what = "amount" if kind == DIVIDEND else "rate"
            return {
                **line,
                what: text_from_fixed(a, b),
                "received": _DOUBLE.unpack_from(payload, 56)[0],
                "received_units": c,
            }
        if kind == IN_LIEU:
            profit, received = _DOUBLE.unpack_from(payload, 40)[0], _DOUBLE.unpack_from(payload, 56)[0]
            return {**line, "profit": profit, "profit_units": a, "received": received, "received_units": c}
        if kind in (MARGIN_CALL, MARGIN_CLEAR):
            equity, margin = (_number(_DOUBLE.unpack_from(payload, place)[0]) for place in (48, 56))
            return {"equity": equity, "margin_maintenance": margin}
        if kind == SIGNAL:
            confidence, target, stop = _SIGNAL.unpack_from(payload, 32)
            advice = {"confidence": _number(confidence), "target_price": _number(target), "stop_price": _number(stop)}
            return {**line, "signal_id": ident, "action": _name(SignalAction, d), **advice}
        if kind in (REFUSAL, WARNING):
            return line | {"order_id": ident, **self._limit(payload, a)}
        if kind == KILL:
            return {**self._limit(payload, a), "who": "TRADER" if d else "SYSTEM"}
        if kind in (RESET, LIMITS):
            return {"who": "TRADER"}
        if kind in (ORPHAN, SUSPEND, LIFT, LINK, DISPLAY):
            return line | {"order_id": ident, **self._rare(kind, instrument, (a, b, c, d))}
        line |= {"order_id": ident, **self._head(kind, head)}
        if kind == OrderEventKind.SUBMIT:
            line |= {"expire_ts": time_text(ts_event) if ts_event else None, "ts_event": None}
        return line | self._words(kind, instrument, line, (a, b, c, d))

    def _words(self, kind: int, instrument: int, line: Line, values: tuple[int, int, int, int]) -> Line:
        a, b, c, d = values
        if kind in _TERMS:
            trailing = line["order_type"] == OrderType.TRAILING_STOP.name
            last = "signal_id" if kind in _FRESH else "cumulative"
            return {
                "qty": self._qty(instrument, a),
                "limit_price": self._price(instrument, b) if b else None,
                "trail_units" if trailing else "stop_price": c
                if trailing
                else self._price(instrument, c)
                if c
                else None,
                last: self._qty(instrument, d) if last == "cumulative" else d,
            }
        if kind in _FILLED:
            price, cumulative = self._price(instrument, b), self._qty(instrument, d)
            return {"qty": self._qty(instrument, a), "price": price, "execution_id": c, "cumulative": cumulative}
        held: Line = {"cumulative": self._qty(instrument, a), "leaves": self._qty(instrument, b)}
        return held if kind == OrderEventKind.CANCEL_REQUEST else {**held, "venue_order_id": c}

    def _rare(self, kind: int, instrument: int, values: tuple[int, int, int, int]) -> Line:
        """What is no event of an order of ours, and yet about orders."""
        a, b, c, d = values
        if kind == ORPHAN:
            event = {"qty": self._qty(instrument, a), "price": self._price(instrument, b), "execution_id": c}
            return {**event, "event": _name(OrderEventKind, d)}
        if kind == LINK:
            return {"parent_id": a, "role": LINK_ROLES[b] if b < len(LINK_ROLES) else b, "group": c}
        if kind == DISPLAY:
            return {"display_qty": self._qty(instrument, a)}
        return {"who": _name(Who, a)}

    @staticmethod
    def _limit(payload: bytes, rule: int) -> Line:
        """A rule of risk with its limit and the actual value, in the rule's own unit."""
        limit, actual = _LIMIT.unpack_from(payload, 40)
        return {"rule": str(_name(Reason, rule)).lower(), "limit": _number(limit), "actual": _number(actual)}

    @staticmethod
    def _head(kind: int, head: int) -> Line:
        # The same bits say of an execution whether it took, of all else who brought it about.
        executed, bits = kind in _EXECUTED, _field(head, "who")
        flags, liquidity = _field(head, "flags"), bits if executed else 0
        who = WHO[kind] if executed or not bits else bits
        return {
            "side": _name(Side, _field(head, "side")),
            "order_type": _name(OrderType, _field(head, "type")),
            "time_in_force": _name(TimeInForce, _field(head, "tif")),
            "state": _name(OrderState, _field(head, "state")),
            "reason": _name(Reason, _field(head, "reason")),
            "who": _name(Who, who),
            "liquidity": _name(Liquidity, liquidity) if liquidity else None,
            "flags": [flag.name for flag in OrderFlag if flags & flag],
        }

    def _market(self, payload: bytes) -> Line:
        _, _, seq, kind, flags, aux, instrument, p0, p1, p2, p3, volume, ts_open = _MARKET.unpack(payload)
        line: Line = {"symbol": self._symbol(instrument), "source_sequence": seq}

        def price(units: int) -> str | int:
            return self._price(instrument, units)

        def qty(units: int) -> str | int:
            return self._qty(instrument, units)

        match kind:
            case EventKind.BAR:
                prices = {"open": price(p0), "high": price(p1), "low": price(p2), "close": price(p3)}
                made = {"series": aux, "carried": bool(flags & CARRIED)}
                return {**line, "ts_open": time_text(ts_open), **prices, "volume": _number(volume), **made}
            case EventKind.QUOTE:
                return {**line, "bid": price(p0), "ask": price(p1), "bid_qty": qty(p2), "ask_qty": qty(p3)}
            case EventKind.TRADE:
                side = _name(Side, aux - _SIDE_OFFSET) if aux else None
                return {**line, "price": price(p0), "qty": qty(p1), "trade_id": p2, "aggressor": side}
            case EventKind.BOOK:
                what = {"side": _name(Side, aux - _SIDE_OFFSET), "action": _name(BookAction, flags)}
                return {**line, **what, "price": price(p0), "qty": qty(p1), "order_id": p2, "venue_sequence": p3}
            case EventKind.CORPORATE_ACTION if aux == CorporateAction.SPLIT:
                return {**line, "action": "SPLIT", "new_shares": p0, "old_shares": p1}
            case EventKind.CORPORATE_ACTION if aux in (CorporateAction.FUNDING, CorporateAction.BORROW):
                found = {**line, "action": _name(CorporateAction, aux), "rate": text_from_fixed(p0, p1)}
                return {**found, "mark_price": price(p2)} if p2 else found
            case EventKind.CORPORATE_ACTION:
                return {**line, "action": _name(CorporateAction, aux), "amount": text_from_fixed(p0, p1)}
        return {**line, "words": [p0, p1, p2, p3]}

    def _symbol(self, index: int) -> str | int:
        return str(self._instruments[index]["symbol"]) if index < len(self._instruments) else index

    def _strategy(self, index: int) -> str | int:
        if index >= len(self._strategies):
            return index
        named = self._strategies[index]
        return str(named["class"] if isinstance(named, Mapping) else named)

    def _price(self, index: int, units: int) -> str | int:
        return self._fixed(index, "price_decimals", units)

    def _qty(self, index: int, units: int) -> str | int:
        return self._fixed(index, "qty_decimals", units)

    def _fixed(self, index: int, name: str, units: int) -> str | int:
        return text_from_fixed(units, self._instruments[index][name]) if index < len(self._instruments) else units


def _field(head: int, name: str) -> int:
    shift, bits = HEAD[name]
    value = head >> shift & ((1 << bits) - 1)
    return value - 1 if name == "side" else value


def _name(enum: Any, value: int) -> str | int:
    return str(enum(value).name) if value in enum._value2member_map_ else value


def _number(value: float) -> float | None:
    return value if value - value == 0.0 else None  # JSON has neither NaN nor infinities
