"""When an instrument trades. Weekly windows in a named time zone; holidays show as days without data."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND

MINUTES_PER_DAY = 1440


class Window(msgspec.Struct, frozen=True):
    """One weekly window: weekday 0 is Monday; minutes after local midnight, close exclusive, at most 1440."""

    weekday: int
    open_minute: int
    close_minute: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Session hours of a venue, and how many trading days its year has (for annualising)."""

    name: str
    timezone: str
    windows: tuple[Window, ...]
    periods_per_year: int

    @property
    def always_open(self) -> bool:
        """True where there is no closing time at all."""
        return sum(w.close_minute - w.open_minute for w in self.windows) == 7 * MINUTES_PER_DAY

    def bounds(self, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """Opening and closing times, ns UTC, of every session that touches [start_ns, end_ns]; adjacent ones joined."""
        zone = ZoneInfo(self.timezone)
        day = datetime.fromtimestamp(start_ns // NANOS_PER_SECOND, UTC).astimezone(zone).date() - timedelta(days=1)
        last = datetime.fromtimestamp(end_ns // NANOS_PER_SECOND, UTC).astimezone(zone).date() + timedelta(days=1)
        found: list[tuple[int, int]] = []
        while day <= last:
            for window in self.windows:
                if window.weekday == day.weekday():
                    opens = _local_ns(day, window.open_minute, zone)
                    closes = _local_ns(day, window.close_minute, zone)
                    if found and found[-1][1] == opens:
                        found[-1] = (found[-1][0], closes)
                    else:
                        found.append((opens, closes))
            day += timedelta(days=1)
        return [(o, c) for o, c in found if c >= start_ns and o <= end_ns]

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
        *(Window(weekday, 0, MINUTES_PER_DAY) for weekday in range(4)),
        Window(4, 0, 17 * 60),
        Window(6, 17 * 60, MINUTES_PER_DAY),
    ),
    periods_per_year=252,
)
SESSIONS = {session.name: session for session in (ALWAYS, WEEKDAYS, XNYS, XNYS_EXTENDED, FX)}


def session_named(name: str) -> Session:
    """The session calendar of that name. Raises: UsageError: there is none."""
    try:
        return SESSIONS[name]
    except KeyError:
        raise UsageError(f"unknown session calendar {name!r}", hint=did_you_mean(name, SESSIONS)) from None


def utc_day_end(ts_ns: int) -> int:
    """The UTC midnight after ts_ns."""
    return (ts_ns // NANOS_PER_DAY + 1) * NANOS_PER_DAY
