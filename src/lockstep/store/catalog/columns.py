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


_BOTH_TIMES = (*_TIME_AT_START, *_TIME_AT_END)
_RECEIVED = ("ts_recv", "recv_time", "receive_time", "received", "local_timestamp", "local_time")
_TICKS = {
    "quotes": {
        "bid": ("bid", "bid_price", "bid_px", "best_bid", "best_bid_price"),
        "ask": ("ask", "ask_price", "ask_px", "best_ask", "best_ask_price", "offer"),
        "bid_qty": ("bid_qty", "bid_size", "bid_amount", "bid_quantity", "bid_volume", "best_bid_qty", "best_bid_size"),
        "ask_qty": ("ask_qty", "ask_size", "ask_amount", "ask_quantity", "ask_volume", "best_ask_qty", "best_ask_size"),
    },
    "trades": {
        "price": ("price", "trade_price", "px"),
        "qty": ("qty", "quantity", "size", "amount", "trade_size", "volume", "vol"),
    },
}
_TRADE_ID = ("trade_id", "tradeid", "id", "tid", "agg_trade_id")
_SIDE = ("side", "aggressor", "aggressor_side", "taker_side")
_BUYER_MADE = ("is_buyer_maker", "isbuyermaker", "buyer_maker", "m")


class TickRoles(msgspec.Struct, frozen=True, kw_only=True):
    """Positions of the columns of ticks. unit, recv_unit: what the names say of epoch numbers. values: by our name.

    buyer_made: a column that is true where the buyer had rested, so that the seller crossed the spread.
    """

    time: int
    unit: str
    recv: int | None
    recv_unit: str
    values: dict[str, int]
    trade_id: int | None
    side: int | None
    buyer_made: int | None
    symbol: int | None
    notes: tuple[str, ...]


def kinds_by(names: Sequence[str]) -> list[str]:
    """What a table with these columns could be: of "bars", "quotes" and "trades" those it has the prices of."""
    clean = {_clean(name) for name in names}
    bars = all(role in clean or any(_SHORT.get(name) == role for name in clean) for role in PRICES)
    found = ["bars"] if bars else []
    for kind, roles in _TICKS.items():
        needed = ("bid", "ask") if kind == "quotes" else ("price", "qty")
        if all(clean & set(roles[role]) for role in needed):
            found.append(kind)
    return found


def tick_roles_of(names: Sequence[str], kind: str, where: str) -> TickRoles:
    """What each column of quotes or trades means. Raises: DataError: a needed one is missing, or two mean the same."""
    clean = [_clean(name) for name in names]
    time, unit = _moment_column(names, clean, _BOTH_TIMES, where)
    recv, recv_unit = _moment_column(names, clean, _RECEIVED, where)
    if time is None and recv is not None:
        time, unit, recv, recv_unit = recv, recv_unit, None, ""
    if time is None:
        raise DataError(
            f"{where}: no time column; the columns are {', '.join(names)}", hint="name it timestamp, time or ts_event"
        )
    values = {}
    for role, known in _TICKS[kind].items():
        at = _one_of(names, clean, known, where)
        if at is None:
            raise DataError(f"{where}: no column {role!r} of {kind}; the columns are {', '.join(names)}")
        values[role] = at
    notes = [f"column {names[time]!r} read as the time of a {kind[:-1]}"]
    if recv is not None:
        notes.append(f"column {names[recv]!r} read as the time it was received: the clock of the run")
    return TickRoles(
        time=time, unit=unit, recv=recv, recv_unit=recv_unit, values=values,
        trade_id=_one_of(names, clean, _TRADE_ID, where) if kind == "trades" else None,
        side=_one_of(names, clean, _SIDE, where) if kind == "trades" else None,
        buyer_made=_one_of(names, clean, _BUYER_MADE, where) if kind == "trades" else None,
        symbol=_one_of(names, clean, _SYMBOL, where), notes=tuple(notes),
    )  # fmt: skip


def _one_of(names: Sequence[str], clean: list[str], known: Sequence[str], where: str) -> int | None:
    found = [i for i, name in enumerate(clean) if name in known]
    if len(found) > 1:
        raise DataError(f"{where}: ambiguous columns {_listed(names, found)}", hint="keep one of them")
    return found[0] if found else None


def _moment_column(names: Sequence[str], clean: list[str], known: Sequence[str], where: str) -> tuple[int | None, str]:
    matches = [_UNIT_SUFFIX.fullmatch(name) for name in clean]
    bases = [name if name in known or not match else match[1] for name, match in zip(clean, matches, strict=True)]
    at = _one_of(names, bases, known, where)
    match = None if at is None or clean[at] in known else matches[at]
    return at, match[2] if match else ""


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
