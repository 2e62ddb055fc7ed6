"""When an instrument trades. Weekly windows in a named time zone; holidays show as days without data."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND

MINUTES_PER_DAY = 1440
FX_TURN_MINUTE = 17 * 60


class Window(msgspec.Struct, frozen=True):
    """One weekly window: weekday 0 is Monday; minutes after local midnight, close exclusive, at most 1440."""

    weekday: int
    open_minute: int
    close_minute: int

    def __post_init__(self) -> None:
        """Raises: UsageError: no such weekday, or minutes that are no part of a day."""
        if not 0 <= self.weekday <= 6 or not 0 <= self.open_minute < self.close_minute <= MINUTES_PER_DAY:
            raise UsageError(
                f"no window of a week: weekday {self.weekday} (0 is Monday), minutes {self.open_minute} to "
                f"{self.close_minute} of {MINUTES_PER_DAY}",
                hint="write hours over midnight as two windows",
            )


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Session hours of a venue, and how many trading days its year has (for annualising).

    windows: those of one weekday in order, not overlapping. turn_minute: where hours run on, the local minute of the day at which one
    trading day ends and the next begins: 1440 is midnight, 1020 the 17:00 of foreign exchange.
    """

    name: str
    timezone: str
    windows: tuple[Window, ...]
    periods_per_year: int
    turn_minute: int = MINUTES_PER_DAY

    def __post_init__(self) -> None:
        """Raises: UsageError: windows out of order or overlapping, or an empty year."""
        by_day = sorted(self.windows, key=lambda window: window.weekday)  # stable: keeps the order within a day
        for before, after in pairwise(by_day):
            if before.weekday == after.weekday and after.open_minute < before.close_minute:
                raise UsageError(f"session {self.name}: windows overlap or are out of order: {before}, {after}")
        if not self.windows or self.periods_per_year < 1 or not 1 <= self.turn_minute <= MINUTES_PER_DAY:
            raise UsageError(
                f"session {self.name}: {len(self.windows)} windows, {self.periods_per_year} periods a year, "
                f"turn_minute {self.turn_minute}: each must be at least 1"
            )

    @property
    def always_open(self) -> bool:
        """True where there is no closing time at all."""
        return sum(w.close_minute - w.open_minute for w in self.windows) == 7 * MINUTES_PER_DAY

    def bounds(self, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """Opening and closing times, ns UTC, of every session that touches [start_ns, end_ns].

        Hours that run on over midnight are one session, but none runs over the turn of the trading day.
        """
        zone = ZoneInfo(self.timezone)
        # Two days more on either side: a session that touches the range is seen whole, whatever the range.
        day = datetime.fromtimestamp(start_ns // NANOS_PER_SECOND, UTC).astimezone(zone).date() - timedelta(days=2)
        last = datetime.fromtimestamp(end_ns // NANOS_PER_SECOND, UTC).astimezone(zone).date() + timedelta(days=2)
        found: list[tuple[int, int]] = []
        while day <= last:
            for window in self.windows:
                if window.weekday == day.weekday():
                    opens = _local_ns(day, window.open_minute, zone)
                    closes = _local_ns(day, window.close_minute, zone)
                    if found and found[-1][1] == opens and window.open_minute != self.turn_minute % MINUTES_PER_DAY:
                        found[-1] = (found[-1][0], closes)
                    else:
                        found.append((opens, closes))
            day += timedelta(days=1)
        return [(o, c) for o, c in found if c >= start_ns and o <= end_ns]

    def trading_days(self, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """First opening and last closing, ns UTC, of every trading day that touches [start_ns, end_ns]; breaks are inside."""
        zone = ZoneInfo(self.timezone)
        to_midnight = timedelta(minutes=MINUTES_PER_DAY - self.turn_minute)
        days: dict[date, tuple[int, int]] = {}
        # Two days more on either side, so that no day is seen in part.
        for opens, closes in self.bounds(start_ns - 2 * NANOS_PER_DAY, end_ns + 2 * NANOS_PER_DAY):
            day = (datetime.fromtimestamp(opens // NANOS_PER_SECOND, zone) + to_midnight).date()
            days[day] = (days.get(day, (opens, closes))[0], closes)
        return [(o, c) for o, c in days.values() if c >= start_ns and o <= end_ns]

    def daily_bar_bounds(self, day: date) -> tuple[int, int]:
        """When the bar of a calendar day opens and closes, ns UTC: the session's hours, else the whole local day."""
        zone = ZoneInfo(self.timezone)
        todays = [w for w in self.windows if w.weekday == day.weekday()]
        if not todays:
            return _local_ns(day, 0, zone), _local_ns(day, MINUTES_PER_DAY, zone)
        return _local_ns(day, todays[0].open_minute, zone), _local_ns(day, todays[-1].close_minute, zone)


def _local_ns(day: date, minute: int, zone: ZoneInfo) -> int:
    if minute == MINUTES_PER_DAY:
        return _local_ns(day + timedelta(days=1), 0, zone)
    local = datetime.combine(day, time(minute // 60, minute % 60), zone)
    return int(local.timestamp()) * NANOS_PER_SECOND


def _weekdays(open_minute: int, close_minute: int) -> tuple[Window, ...]:
    return tuple(Window(weekday, open_minute, close_minute) for weekday in range(5))


ALWAYS = Session(
    name="24/7",
    timezone="UTC",
    windows=tuple(Window(weekday, 0, MINUTES_PER_DAY) for weekday in range(7)),
    periods_per_year=365,
)
WEEKDAYS = Session(name="weekdays", timezone="UTC", windows=_weekdays(0, MINUTES_PER_DAY), periods_per_year=252)
XNYS = Session(name="XNYS", timezone="America/New_York", windows=_weekdays(9 * 60 + 30, 16 * 60), periods_per_year=252)
XNYS_EXTENDED = Session(
    name="XNYS-extended", timezone="America/New_York", windows=_weekdays(4 * 60, 20 * 60), periods_per_year=252
)
FX = Session(
    name="FX",
    timezone="America/New_York",
    windows=(
        *(
            Window(weekday, *minutes)
            for weekday in range(4)
            for minutes in ((0, FX_TURN_MINUTE), (FX_TURN_MINUTE, MINUTES_PER_DAY))
        ),
        Window(4, 0, FX_TURN_MINUTE),
        Window(6, FX_TURN_MINUTE, MINUTES_PER_DAY),
    ),
    periods_per_year=252,
    turn_minute=FX_TURN_MINUTE,
)
DAY_PARTS = {"pre": (4 * 60, 9 * 60 + 30), "regular": (9 * 60 + 30, 16 * 60), "after": (16 * 60, 20 * 60)}
"""The parts of a New York day, local minutes, in order."""


def _new_york(parts: tuple[str, ...]) -> Session:
    """The hours of some parts; those that touch are one session, at whose end a DAY order ends."""
    windows: list[tuple[int, int]] = []
    for part in parts:
        opens, closes = DAY_PARTS[part]
        if windows and windows[-1][1] == opens:
            windows[-1] = (windows[-1][0], closes)
        else:
            windows.append((opens, closes))
    return Session(
        name="XNYS-" + "+".join(parts),
        timezone=XNYS.timezone,
        windows=tuple(Window(weekday, *minutes) for weekday in range(5) for minutes in windows),
        periods_per_year=XNYS.periods_per_year,
    )


_BY_PARTS: dict[tuple[str, ...], Session] = {
    ("regular",): XNYS,
    ("pre", "regular", "after"): XNYS_EXTENDED,
    **{
        parts: _new_york(parts)
        for parts in (("pre",), ("after",), ("pre", "regular"), ("regular", "after"), ("pre", "after"))
    },
}
SESSIONS = {session.name: session for session in (ALWAYS, WEEKDAYS, FX, *_BY_PARTS.values())}


def session_named(name: str) -> Session:
    """The session calendar of that name. Raises: UsageError: there is none."""
    try:
        return SESSIONS[name]
    except KeyError:
        raise UsageError(f"unknown session calendar {name!r}", hint=did_you_mean(name, SESSIONS)) from None


def session_with(base: Session, parts: Iterable[str]) -> Session:
    """The calendar that is open in the named parts of the day: "pre", "regular", "after", in any order.

    Parts that touch are one session: with all three a DAY order lives until 20:00, with "regular" alone until 16:00; with
    "pre" and "after" one sent before the open ends at 9:30.
    Raises: UsageError: no part, one that is unknown, or a calendar whose day has no parts.
    """
    if base not in _BY_PARTS.values():
        raise UsageError(
            f"session {base.name} has no parts of the day: only the New York stock exchange has hours before and after "
            "the regular ones",
            hint="leave the hours out",
        )
    chosen = [parts] if isinstance(parts, str) else list(parts)  # a lone name is not five letters
    for part in chosen:
        if part not in DAY_PARTS:
            raise UsageError(f"unknown part of the day {part!r}", hint=did_you_mean(part, DAY_PARTS))
    if not chosen:
        raise UsageError("no part of the day was chosen", hint="give one or more of pre, regular, after")
    return _BY_PARTS[tuple(part for part in DAY_PARTS if part in chosen)]


def utc_day_end(ts_ns: int) -> int:
    """The UTC midnight after ts_ns."""
    return (ts_ns // NANOS_PER_DAY + 1) * NANOS_PER_DAY
