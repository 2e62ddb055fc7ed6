"""The kinds of value a setting may have: each reads what the file says exactly, or says what it should have been.

A kind knows three things: how a value is read, how the reference names it, and its JSON Schema. A value from a file comes
as plain data (text, int, Decimal, bool, list, table); one from the environment or the command line comes as text alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol, Self

import msgspec

from lockstep.model.enums import AssetClass
from lockstep.model.errors import LockstepError, ParseError, RefuseError, UsageError, did_you_mean
from lockstep.model.fees import FeeSchedule, fee_schedule_from_text
from lockstep.model.numbers import exact_decimal, number_text
from lockstep.model.sessions import SESSIONS
from lockstep.model.timeframe import timeframe_ns
from lockstep.run.settings.moment import moment_ns
from lockstep.sim.models import DELAY_WAYS, LATENCIES, Latency, delay_parts, latency_from_text

_DELAY = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*(ns|us|ms|s|m|h|d)?")
_UNIT_NS = {
    "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9,
}  # fmt: skip
_SHOWN_MAX = 60


class WrongValue(RefuseError):
    """A value that its setting cannot have; the message begins after the setting's name: "must be ..."."""


class Overridden(str):
    """A text from the environment or the command line. origin: where it was said."""

    __slots__ = ("origin",)
    origin: str

    def __new__(cls, text: str, origin: str) -> Self:
        """text as it was typed; origin such as "LOCKSTEP_ENGINE__CASH" or "--set"."""
        made = super().__new__(cls, text)
        made.origin = origin
        return made


class Kind(Protocol):
    """How one sort of setting is read."""

    @property
    def words(self) -> str:
        """What the reference says it is."""
        ...

    def read(self, value: Any) -> Any:
        """The value in the program's terms. Raises: WrongValue (or any LockstepError): it cannot be used."""
        ...

    def json_schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        ...


def shown(value: Any) -> str:
    """A value as a message quotes it: short, and as the file has it."""
    text = str(value) if isinstance(value, Decimal) else repr(str(value) if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."


def plain_decimal(value: Any) -> Decimal:
    """A number exactly, in its one plain spelling: 1e5, 100_000, "100000.0" are all 100000.

    Raises: WrongValue: no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise WrongValue(f"must be a number: was {shown(value)}")
    try:
        text = value.strip().replace("_", "") if isinstance(value, str) else number_text(value)
        return Decimal(format(exact_decimal(text), "f"))
    except ParseError:
        raise WrongValue(f"must be a finite number: was {shown(value)}") from None


class Text(msgspec.Struct, frozen=True):
    """Any text that is not empty. words: what it stands for."""

    words: str = "text"

    def read(self, value: Any) -> str:
        """The text without the blanks around it."""
        if not isinstance(value, str):
            raise WrongValue(
                f"must be text: was {shown(value)}", hint=f'in quotes: "{value}"' if _scalar(value) else ""
            )
        if not value.strip():
            raise WrongValue("must not be empty")
        return str(value.strip())

    def json_schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "minLength": 1}


def _scalar(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


class Word(msgspec.Struct, frozen=True):
    """One of some words."""

    choices: tuple[str, ...]

    @property
    def words(self) -> str:
        """The choices."""
        return ", ".join(self.choices)

    def read(self, value: Any) -> str:
        """The word. Raises: WrongValue: none of them."""
        word = Text().read(value)
        if word not in self.choices:
            raise WrongValue(f"was {word!r}, not one of {self.words}", hint=did_you_mean(word, self.choices))
        return word

    def json_schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"enum": list(self.choices)}


class Named(msgspec.Struct, frozen=True):
    """A text that a function of the program understands, such as a time or a fee."""

    words: str
    understand: Callable[[str], Any]

    def read(self, value: Any) -> Any:
        """What the function makes of it."""
        return self.understand(Text(self.words).read(value))

    def json_schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "minLength": 1}


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """An exact number. low and high are inclusive unless `above` and `below`; none: the text "none" is no limit."""

    low: int | None = None
    high: int | None = None
    above: bool = False
    below: bool = False
    none: bool = False

    @property
    def words(self) -> str:
        """The range."""
        parts = ["number"]
        if self.low is not None:
            parts.append(f"above {self.low}" if self.above else f"from {self.low}")
        if self.high is not None:
            parts.append(f"to below {self.high}" if self.below else f"to {self.high}")
        return " ".join(parts) + (", or none" if self.none else "")

    def read(self, value: Any) -> Decimal | None:
        """The number. Raises: WrongValue: none, or out of range."""
        if self.none and isinstance(value, str) and value.strip().lower() == "none":
            return None
        number = plain_decimal(value)
        low, high = self.low, self.high
        too_low = low is not None and (number < low or (self.above and number == low))
        if too_low or (high is not None and (number > high or (self.below and number == high))):
            raise WrongValue(f"was {number}, must be a {self.words}")
        return number

    def json_schema(self) -> dict[str, Any]:
        """A number, or its text."""
        limits: dict[str, Any] = {}
        if self.low is not None:
            limits["exclusiveMinimum" if self.above else "minimum"] = self.low
        if self.high is not None:
            limits["exclusiveMaximum" if self.below else "maximum"] = self.high
        return {"anyOf": [{"type": "number", **limits}, {"type": "string"}]}


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A whole number in a range."""

    low: int
    high: int

    @property
    def words(self) -> str:
        """The range."""
        return f"whole number from {self.low} to {self.high}"

    def read(self, value: Any) -> int:
        """The number. Raises: WrongValue: none, or out of range."""
        number = plain_decimal(value)
        if number != number.to_integral_value() or not self.low <= number <= self.high:
            raise WrongValue(f"was {shown(value)}, must be a {self.words}")
        return int(number)

    def json_schema(self) -> dict[str, Any]:
        """An integer, or its text."""
        return {"anyOf": [{"type": "integer", "minimum": self.low, "maximum": self.high}, {"type": "string"}]}


class Switch(msgspec.Struct, frozen=True):
    """true or false."""

    words: str = "true or false"

    def read(self, value: Any) -> bool:
        """The truth value; a text only where it comes from outside the file."""
        if isinstance(value, Overridden) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        if not isinstance(value, bool):
            raise WrongValue(f"must be true or false: was {shown(value)}")
        return value

    def json_schema(self) -> dict[str, Any]:
        """A truth value."""
        return {"type": "boolean"}


class Moment(msgspec.Struct, frozen=True):
    """A date or a time, as text or in the format's own notation; ns UTC when read."""

    words: str = "ISO date or time, UTC unless a zone is given"

    def read(self, value: Any) -> int:
        """Nanoseconds since 1970, UTC."""
        return moment_ns(Text().read(value), "it")

    def json_schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string"}


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Several texts: a list, or one text with commas.

    upper: capitals only, as symbols are kept. choices: the only names there are; they are read into this order.
    """

    words: str = "list of names"
    upper: bool = False
    choices: tuple[str, ...] = ()

    def read(self, value: Any) -> tuple[str, ...]:
        """Every name once, in order. Raises: WrongValue: an empty list, or something in it that is no name."""
        listed: Iterable[Any] = value.split(",") if isinstance(value, str) else value
        if not isinstance(listed, list) or not listed:
            raise WrongValue(f"must be a list of names: was {shown(value)}", hint='for example ["AAPL", "IBM"]')
        names = [Text().read(entry) for entry in listed]
        for name in names:
            if self.choices and name not in self.choices:
                raise WrongValue(
                    f"has {name!r}, not one of {', '.join(self.choices)}", hint=did_you_mean(name, self.choices)
                )
        if self.choices:
            return tuple(name for name in self.choices if name in names)
        return tuple(dict.fromkeys(name.upper() if self.upper else name for name in names))

    def json_schema(self) -> dict[str, Any]:
        """A list of texts, or one text."""
        items: dict[str, Any] = {"enum": list(self.choices)} if self.choices else {"type": "string", "minLength": 1}
        return {"anyOf": [{"type": "array", "items": items, "minItems": 1}, {"type": "string", "minLength": 1}]}


class Values(msgspec.Struct, frozen=True):
    """A table of names and plain values: the parameters of a strategy, which checks them itself."""

    words: str = "table of values"

    def read(self, value: Any) -> dict[str, Any]:
        """The same, without what a parameter cannot be. Raises: WrongValue: no table, or a table or list in it."""
        if not isinstance(value, dict):
            raise WrongValue(f"must be a table: was {shown(value)}", hint="for example {fast = 12, slow = 26}")
        for name, entry in value.items():
            if not isinstance(entry, (str, int, float, Decimal, bool)):
                raise WrongValue(f"has no single value for {name}: was {shown(entry)}")
        return {name: str(entry) if isinstance(entry, str) else entry for name, entry in value.items()}

    def json_schema(self) -> dict[str, Any]:
        """A table of plain values."""
        return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of names, each with one value of the same kind: rates by currency, files by symbol.

    On a command line: one text, NAME=VALUE joined by commas.
    """

    words: str
    entry: Kind
    example: str

    def read(self, value: Any) -> dict[str, Any]:
        """The values by name. Raises: WrongValue: no table, or an entry that cannot be used; the message names it."""
        if isinstance(value, str):
            parts = [part.partition("=") for part in value.split(",")]
            value = {name.strip(): entry.strip() for name, _, entry in parts}
        if not isinstance(value, Mapping) or not value:
            raise WrongValue(f"must be a table: was {shown(value)}", hint=f"for example {self.example}")
        found = {}
        for name, entry in value.items():
            try:
                found[str(name)] = self.entry.read(entry)
            except WrongValue as e:
                raise WrongValue(f"{name} {e}", hint=e.hint or f"for example {self.example}") from None
        return found

    def json_schema(self) -> dict[str, Any]:
        """A table, or its text."""
        table = {"type": "object", "additionalProperties": self.entry.json_schema(), "minProperties": 1}
        return {"anyOf": [table, {"type": "string", "minLength": 1}]}


LATENCY_PARTS = ("feed", "feed_jitter", "entry", "entry_jitter", "ack", "ack_jitter", "fill", "fill_jitter")
"""Delays of a latency given as a table: each way, fixed or drawn, and the widths of uniform draws added to it."""
LATENCY_BASE = "preset"
"""In such a table: the latency that the parts it does not name are taken from."""


class Delays(msgspec.Struct, frozen=True):
    """Latency: a preset, one delay of our orders, or a table of delays."""

    words: str = (
        f"{', '.join(LATENCIES)}, recorded, recorded:FILE, a delay such as 200ms, each way as in feed=50ms,entry=200ms, "
        f"or a table of {', '.join((LATENCY_BASE, *LATENCY_PARTS))}; a way may be drawn: lognormal:MEDIAN:SIGMA"
    )

    def read(self, value: Any) -> Latency:
        """The latency; a table without a preset changes parts of "standard". Raises: WrongValue: not understood."""
        if not isinstance(value, Mapping):
            return latency_from_text(Text().read(value))
        base = latency_from_text(Text().read(value.get(LATENCY_BASE, "standard")))
        parts: dict[str, Any] = {}
        for name, delay in value.items():
            if name == LATENCY_BASE:
                continue
            if name not in LATENCY_PARTS:
                raise WrongValue(f"has no part {name!r}", hint=did_you_mean(name, (LATENCY_BASE, *LATENCY_PARTS)))
            try:
                if name in DELAY_WAYS and isinstance(delay, str) and (":" in delay or "+" in delay):
                    parts |= delay_parts(name, delay, delay)
                else:
                    parts[f"{name}_ns"] = delay_ns(delay)
            except UsageError as e:
                raise WrongValue(f"{name}: {e}", hint=e.hint) from None
            except WrongValue as e:
                raise WrongValue(f"{name} {e}", hint=e.hint) from None
        return msgspec.structs.replace(base, name="custom", **parts) if parts else base

    def json_schema(self) -> dict[str, Any]:
        """A text, or a table of texts."""
        parts = {name: {"type": ["string", "integer"]} for name in (LATENCY_BASE, *LATENCY_PARTS)}
        return {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "object", "properties": parts, "additionalProperties": False},
            ]
        }


def delay_ns(value: Any) -> int:
    """A delay such as "200ms" or "1.5s" in ns; 0 needs no unit. Raises: WrongValue: no such thing."""
    match = _DELAY.fullmatch(str(value).strip()) if isinstance(value, (str, int)) else None
    if match is not None and (match[2] or Decimal(match[1]) == 0):
        exact = Decimal(match[1]) * _UNIT_NS[match[2] or "ns"]
        if exact == exact.to_integral_value():
            return int(exact)
    raise WrongValue(f"must be a delay: was {shown(value)}", hint='for example "200ms", "250us" or "1.5s"')


def _calendar(text: str) -> str:
    if text not in SESSIONS:
        raise WrongValue(f"was {text!r}, not one of {', '.join(SESSIONS)}", hint=did_you_mean(text, SESSIONS))
    return text


def _margins(text: str) -> tuple[Decimal, Decimal]:
    initial, slash, maintenance = text.partition("/")
    first = plain_decimal(initial)
    second = plain_decimal(maintenance) if slash else first / 2
    if not 0 < second <= first <= 1:
        raise WrongValue(
            f"was {text!r}, must be fractions, 0 < maintenance <= initial <= 1", hint="for example 0.1/0.05"
        )
    return first, second


def _fees(text: str) -> FeeSchedule:
    try:
        return fee_schedule_from_text(text)
    except ParseError as e:
        raise WrongValue(str(e), hint=e.hint or "examples: 0.1%, 0.02%/0.05%, 0.005/share, 1/order") from None


def _timeframe(text: str) -> str:
    timeframe_ns(text)
    return text


CALENDAR = Named(", ".join(SESSIONS), _calendar)
FEES = Named("0.1%, 0.02%/0.05% (maker/taker), 0.005/share, 1/order, 1/minimum, joined by +", _fees)
TIMEFRAME = Named("length of bars such as 1m, 5m, 1h or 1d", _timeframe)
RATES = Table(words="table of numbers above 0 by currency", entry=Number(low=0, above=True), example="{EUR = 1.08}")
MARGINS = Table(
    words="table of initial/maintenance by symbol", entry=Named("0.1/0.05", _margins), example='{ESH4 = "0.1/0.05"}'
)
FUNDING = Table(words="table of files by symbol", entry=Text("file"), example='{BTCUSDT = "funding.csv"}')
ASSET_CLASS = Word(tuple(member.name.lower() for member in AssetClass))


def read_value(kind: Kind, value: Any) -> Any:
    """What a kind makes of a value. Raises: WrongValue: whatever is wrong with it."""
    try:
        return kind.read(value)
    except WrongValue:
        raise
    except LockstepError as e:
        raise WrongValue(f"cannot be used: {e}", hint=e.hint) from None
