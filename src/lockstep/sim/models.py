"""How a simulated venue behaves, as data: latency, slippage, fill rules. Defaults are pessimistic."""

from decimal import Decimal
from typing import Any

import msgspec

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.numbers import NANOS_PER_SECOND

_MS = 1_000_000
_LONGEST_NS = 366 * 86_400 * NANOS_PER_SECOND


class LogNormal(msgspec.Struct, frozen=True):
    """A heavy-tailed delay: half are shorter than median_ns, and their logarithm spreads normally by sigma.

    sigma is what the log of measured delays spreads by: 0.5 puts one in a hundred above 3.2 medians, 1 above 10.
    """

    median_ns: int
    sigma: Decimal

    def __post_init__(self) -> None:
        """Raises: UsageError: out of range."""
        if not 0 < self.median_ns <= _LONGEST_NS:
            raise UsageError(f"the median of a lognormal delay was {self.median_ns} ns, limit above 0 to one year")
        if not self.sigma.is_finite() or not 0 < self.sigma <= 3:
            raise UsageError(f"sigma of a lognormal delay was {self.sigma}, limit above 0 to 3")


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Delays in ns, each the sum of its parts. Jitters are the width of a uniform draw, tails lognormal ones, from the run's seed.

    feed: venue event to us, where the data do not say when they were received. entry: our order to the venue.
    ack, fill: the venue's acknowledgement and fill back to us. entry_bars: bars of its instrument that an order lets
    pass besides, whatever the clock says. recorded: (time ns UTC, order to the venue ns, answer back ns) as they were measured,
    times rising: what `sim.delays` interpolates and adds to the fixed parts.
    """

    name: str = "custom"
    feed_ns: int = 0
    entry_ns: int = 0
    entry_jitter_ns: int = 0
    ack_ns: int = 0
    ack_jitter_ns: int = 0
    fill_ns: int = 0
    fill_jitter_ns: int = 0
    entry_bars: int = 0
    recorded: tuple[tuple[int, int, int], ...] = ()
    feed_jitter_ns: int = 0
    feed_tail: LogNormal | None = None
    entry_tail: LogNormal | None = None
    ack_tail: LogNormal | None = None
    fill_tail: LogNormal | None = None

    def __post_init__(self) -> None:
        """Raises: UsageError: a negative delay, or one above a year."""
        for field in (name for name in self.__struct_fields__ if name.endswith(("_ns", "_bars"))):
            value = getattr(self, field)
            if not 0 <= value <= _LONGEST_NS:
                raise UsageError(f"latency {field} was {value} ns, limit 0 to one year")
        before = -1
        for number, (ts, *delays) in enumerate(self.recorded, 1):
            if not before < ts < 2**63:
                raise UsageError(f"recorded latency {number}: its time was {ts}, after {before}", hint="ns UTC, rising")
            if not all(0 <= delay <= _LONGEST_NS for delay in delays):
                raise UsageError(f"recorded latency {number}: delays were {delays} ns, limit 0 to one year")
            before = ts

    @property
    def draws_feed(self) -> bool:
        """Whether the feed's delay is another for each message."""
        return self.feed_jitter_ns > 0 or self.feed_tail is not None

    @property
    def text(self) -> str:
        """Each way in words: "entry 200ms, fill 1ms + uniform 4ms"."""
        found = []
        for way in DELAY_WAYS:
            tail: LogNormal | None = getattr(self, f"{way}_tail")
            fixed, jitter = getattr(self, f"{way}_ns"), getattr(self, f"{way}_jitter_ns")
            parts = [delay_text(fixed)] if fixed else []
            parts += [f"uniform {delay_text(jitter)}"] if jitter else []
            parts += [f"lognormal {delay_text(tail.median_ns)} sigma {tail.sigma}"] if tail is not None else []
            found += [f"{way} {' + '.join(parts)}"] if parts else []
        if self.entry_bars:
            found.append(f"entry {self.entry_bars} bars")
        if self.recorded:
            found.append(f"entry and answers as in {len(self.recorded):,} recorded")
        return ", ".join(found) or "nothing takes any time"


DELAY_WAYS = ("feed", "entry", "ack", "fill")


def delay_text(delay_ns: int) -> str:
    """A delay in the largest unit that shows it whole: "200ms"."""
    unit = next(name for name in ("s", "ms", "us", "ns") if delay_ns % _DELAY_UNITS[name] == 0)
    return f"{delay_ns // _DELAY_UNITS[unit]}{unit}"


_DELAY_UNITS = {
    "ns": 1,
    "us": 1000,
    "ms": _MS,
    "s": NANOS_PER_SECOND,
    "m": 60 * NANOS_PER_SECOND,
    "h": 3600 * NANOS_PER_SECOND,
    "d": 86_400 * NANOS_PER_SECOND,
}
AUTO, RECORDED = "auto", "recorded"
"""Latencies that a run settles once it knows its data; `run.latency` has the rules."""
LATENCIES = {
    latency.name: latency
    for latency in (
        # What a run without data of its own would do: "standard".
        Latency(name=AUTO, entry_ns=5 * _MS, entry_jitter_ns=2 * _MS, fill_ns=1 * _MS, fill_jitter_ns=4 * _MS),
        Latency(name="none"),
        Latency(name="colocated", entry_ns=100_000, entry_jitter_ns=100_000, ack_ns=200_000, fill_ns=200_000),
        # Acknowledgement 5 ms + U(0, 2 ms), fill 1 to 5 ms.
        Latency(
            name="standard",
            entry_ns=5 * _MS,
            entry_jitter_ns=2 * _MS,
            ack_ns=0,
            fill_ns=1 * _MS,
            fill_jitter_ns=4 * _MS,
        ),
        Latency(name="remote", entry_ns=200 * _MS, ack_ns=0, fill_ns=1 * _MS, fill_jitter_ns=4 * _MS),
    )
}


def latency_from_text(text: str) -> Latency:
    """A preset's name, a fixed entry delay such as "200ms", "1s", "250us", "1d", or each way by itself.

    Each way: "feed=50ms,entry=200ms,ack=20ms,fill=20ms"; what is not named is 0. A way is a sum of a fixed delay, uniform:WIDTH
    and lognormal:MEDIAN:SIGMA: "entry=20ms+lognormal:180ms:0.4". "recorded" and "recorded:FILE" are
    settled where data and files are read.
    Raises: UsageError: none of these.
    """
    if text in LATENCIES:
        return LATENCIES[text]
    if text == RECORDED or text.startswith(f"{RECORDED}:"):
        return Latency(name=text)
    if "=" in text:
        parts = [part.partition("=") for part in text.replace(" ", "").split(",")]
        names = [name for name, _, _ in parts]
        unknown = [name for name in names if name not in DELAY_WAYS]
        if unknown or len(set(names)) < len(names):
            hint = did_you_mean(unknown[0], DELAY_WAYS) if unknown else "name each way once"
            raise UsageError(f"latency not understood: {text!r}", hint=hint)
        delays: dict[str, Any] = {}
        for name, _, delay in parts:
            delays |= delay_parts(name, delay, text)
        return Latency(name=text, **delays)
    return Latency(name=text, entry_ns=_delay_ns(text, text))


def delay_parts(way: str, delay: str, text: str) -> dict[str, Any]:
    """One way's delay as fields of a Latency: "20ms+lognormal:180ms:0.4". Raises: UsageError: not understood, or a part twice."""
    found: dict[str, Any] = {}
    for part in delay.replace(" ", "").split("+"):
        kind, *numbers = part.split(":")
        value: Any
        if kind == "uniform" and len(numbers) == 1:
            field, value = f"{way}_jitter_ns", _delay_ns(numbers[0], text)
        elif kind == "lognormal" and len(numbers) == 2 and _is_number(numbers[1]):
            field, value = f"{way}_tail", LogNormal(_delay_ns(numbers[0], text), Decimal(numbers[1]))
        else:
            field, value = f"{way}_ns", _delay_ns(part, text)
        if field in found:
            raise UsageError(
                f"latency not understood: {text!r}", hint=f"{way} says {part!r} besides another of its kind"
            )
        found[field] = value
    return found


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and text.isascii()


def _delay_ns(delay: str, text: str) -> int:
    for unit in sorted(_DELAY_UNITS, key=len, reverse=True):
        number = delay.removesuffix(unit)
        if number != delay and _is_number(number):
            return int(Decimal(number) * _DELAY_UNITS[unit])
    hint = (
        f"{did_you_mean(text, (*LATENCIES, RECORDED))}, {RECORDED}:FILE, a delay like 200ms, each way as in feed=50ms,entry=200ms,ack=20ms,fill=20ms, "
        "or drawn: entry=lognormal:180ms:0.4"
    )
    raise UsageError(f"latency not understood: {text!r}", hint=hint)


class Slippage(msgspec.Struct, frozen=True, kw_only=True):
    """How much worse than its reference price a taking fill is.

    bps: a fixed part of the price, in hundredths of a percent. volume_impact: times the square of the order's share of
    the bar's volume (Quantopian's volume share model), as a fraction of the price.
    """

    bps: Decimal = Decimal(0)
    volume_impact: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Raises: UsageError: negative, or a price that could fall to 0."""
        if not 0 <= self.bps < 10_000:
            raise UsageError(f"slippage was {self.bps} bps, limit 0 to below 10000")
        if not 0 <= self.volume_impact < 1:
            raise UsageError(f"volume impact was {self.volume_impact}, limit 0 to below 1")

    def scaled(self, factor: int) -> "Slippage":
        """The same model, `factor` times as dear."""
        return Slippage(bps=self.bps * factor, volume_impact=self.volume_impact * factor)


QUEUES = ("auto", "pessimistic", "power", "log", "exact", "rebuilt")


BOOK_STARTS = ("full", "empty")


class BookFills(msgspec.Struct, frozen=True, kw_only=True):
    """How orders meet order books. `sim.queue` and `sim.liquidity` have the rules.

    queue: how a resting order's place moves; auto: exact where the data tell every order, else pessimistic. power: n of the model
    "power". recovery_ns: the half-life of what our orders took of a level; 0, until the level is told again. silence_max_ns: a
    book that has not been told for so long fills nothing; 0 for no limit. start: "full": a book is believed from its first full
    one on; "empty": one that is told from nothing on is believed at once.
    """

    queue: str = "auto"
    power: Decimal = Decimal(3)
    recovery_ns: int = 0
    silence_max_ns: int = 0
    start: str = "full"

    def __post_init__(self) -> None:
        """Raises: UsageError: an unknown model, or a number out of range."""
        if self.queue not in QUEUES:
            raise UsageError(f"unknown queue model {self.queue!r}", hint=did_you_mean(self.queue, QUEUES))
        if not self.power.is_finite() or not 0 < self.power <= 100:
            raise UsageError(f"queue power was {self.power}, limit above 0 to 100")
        if self.start not in BOOK_STARTS:
            raise UsageError(f"unknown start of a book {self.start!r}", hint=did_you_mean(self.start, BOOK_STARTS))
        for name, value in (("recovery", self.recovery_ns), ("silence", self.silence_max_ns)):
            if not 0 <= value <= _LONGEST_NS:
                raise UsageError(f"book {name} was {value} ns, limit 0 to one year")


def book_fills_from_text(queue: str, recovery: str = "none", silence: str = "none", start: str = "full") -> BookFills:
    """A queue model's name, "power:2" for one with its power; how fast a level recovers, and how long a book that says nothing is
    believed, times such as "500ms", or "none"; and what a book begins with.

    Raises: UsageError: none of these.
    """
    name, colon, power = queue.partition(":")
    if colon and (name != "power" or not power.replace(".", "", 1).isdigit()):
        raise UsageError(f"queue model not understood: {queue!r}", hint="power:2, or one of " + ", ".join(QUEUES))
    recovery_ns, silence_ns = (
        0 if text == "none" else _time_ns(text, what) for what, text in (("recovery", recovery), ("silence", silence))
    )
    number = Decimal(power) if colon else Decimal(3)
    return BookFills(queue=name, power=number, recovery_ns=recovery_ns, silence_max_ns=silence_ns, start=start)


def _time_ns(text: str, what: str) -> int:
    try:
        found = _delay_ns(text, text)
    except UsageError:
        raise UsageError(f"{what} not understood: {text!r}", hint="a time such as 500ms or 2s, or none") from None
    if not found:
        raise UsageError(f"{what} was {text}, limit above 0", hint="none leaves it away")
    return found


PATHS = ("pessimistic", "optimistic")
LIMIT_FILLS = ("through", "touch")


class BarFills(msgspec.Struct, frozen=True, kw_only=True):
    """How orders meet bars.

    path: which extreme of a bar comes first: the one that hurts the open position, or the one that helps. limit_fill: a
    resting limit fills when the price trades through it, or already when it touches. participation: the part of a bar's
    volume that is ours to take; None for no limit.
    """

    path: str = "pessimistic"
    limit_fill: str = "through"
    participation: Decimal | None = Decimal("0.1")

    def __post_init__(self) -> None:
        """Raises: UsageError: an unknown rule, or a participation outside 0 to 1."""
        if self.path not in PATHS:
            raise UsageError(f"unknown bar path {self.path!r}", hint=did_you_mean(self.path, PATHS))
        if self.limit_fill not in LIMIT_FILLS:
            raise UsageError(
                f"unknown limit fill rule {self.limit_fill!r}", hint=did_you_mean(self.limit_fill, LIMIT_FILLS)
            )
        if self.participation is not None and not 0 < self.participation <= 1:
            raise UsageError(f"participation was {self.participation}, limit above 0 to 1, or none")
