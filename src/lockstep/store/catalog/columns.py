"""Which column of a table means what, by its name; ambiguity is refused, never guessed."""

import re
from collections.abc import Sequence

import msgspec

from lockstep.model.errors import DataError, did_you_mean

PRICES = ("open", "high", "low", "close")
_UNIT_SUFFIX = re.compile(r"(.*?)_(s|ms|us|ns)")
_TIME_AT_START = ("timestamp", "time", "date", "datetime", "open_time", "start", "start_time", "ts_open", "ts", "t")
_TIME_AT_END = ("end", "end_time", "close_time", "timestamp_end", "ts_event")
_SYMBOL = ("symbol", "ticker")
_SHORT = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume", "vol": "volume"}


class Roles(msgspec.Struct, frozen=True, kw_only=True):
    """Positions of the columns in the file. unit: what the time column's name says of an epoch number, or ""."""

    time: int
    at_end: bool
    unit: str
    open: int
    high: int
    low: int
    close: int
    volume: int
    symbol: int | None
    notes: tuple[str, ...]


def roles_of(names: Sequence[str], where: str) -> Roles:
    """What each column means, by its name without regard to case.

    Raises: DataError: a needed column is missing, or two have the same meaning.
    """
    clean = [_clean(name) for name in names]
    if all(re.fullmatch(r"[-+.\d: TZ]*\d[-+.\d: TZ]*", name.strip()) for name in names):
        raise DataError(
            f"{where}: the first line holds no column names: {','.join(names)!r}",
            hint="begin the file with a line like timestamp,open,high,low,close,volume",
        )
    if len(set(clean) - {""}) < len([c for c in clean if c]):
        twice = next(name for name, c in zip(names, clean, strict=True) if clean.count(c) > 1)
        raise DataError(f"{where}: column {twice!r} appears twice", hint="keep one of them")
    time, at_end, unit, notes = _time_column(names, clean, where)
    found = {role: _column(role, names, clean, where) for role in (*PRICES, "volume")}
    symbols = [i for i, name in enumerate(clean) if name in _SYMBOL]
    if len(symbols) > 1:
        raise DataError(f"{where}: two columns of symbols: {_listed(names, symbols)}", hint="keep one of them")
    if "adj_close" in clean:
        notes = (*notes, "the adjusted close is not used: prices are as traded")
    return Roles(time=time, at_end=at_end, unit=unit, symbol=symbols[0] if symbols else None, notes=notes, **found)


def _clean(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip().lower())


def _column(role: str, names: Sequence[str], clean: list[str], where: str) -> int:
    if role in clean:
        return clean.index(role)
    short = [i for i, name in enumerate(clean) if _SHORT.get(name) == role]
    if len(short) == 1:
        return short[0]
    raise DataError(
        f"{where}: no column {role!r}; the columns are {', '.join(names)}",
        hint=did_you_mean(role, [n.strip().lower() for n in names if n.strip()]),
    )


def _time_column(names: Sequence[str], clean: list[str], where: str) -> tuple[int, bool, str, tuple[str, ...]]:
    starts, ends = [], []
    units = {}
    for i, name in enumerate(clean):
        match = _UNIT_SUFFIX.fullmatch(name)
        base, units[i] = (match[1], match[2]) if match else (name, "")
        if base in _TIME_AT_START:
            starts.append(i)
        elif base in _TIME_AT_END:
            ends.append(i)
    if not starts and not ends and clean[0] in ("", "unnamed:_0", "index"):
        return 0, False, "", (f"the first column, named {names[0]!r}, read as the time a bar starts",)
    for several in (starts, ends):
        if len(several) > 1:
            raise DataError(
                f"{where}: ambiguous time: columns {_listed(names, several)}",
                hint="keep the one that says when a bar starts",
            )
    if not starts and not ends:
        raise DataError(
            f"{where}: no time column; the columns are {', '.join(names)}",
            hint="name it timestamp, time, date or datetime",
        )
    at_end = not starts
    time = (ends if at_end else starts)[0]
    notes = (f"column {names[time]!r} read as the time a bar {'ends' if at_end else 'starts'}",)
    return time, at_end, units[time], notes


def _listed(names: Sequence[str], positions: list[int]) -> str:
    return " and ".join(repr(names[i]) for i in positions)
