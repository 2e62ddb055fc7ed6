"""Where and when a finished run's profit came from, read from its folder: exact amounts that sum to the account's.

By strategy, symbol and currency: the shares in the manifest. By time: the profit table for what was posted, the equity curve
for the open profit between two marks; the last row ends at the exact statement.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.numbers import MONEY, NANOS_PER_SECOND, fixed_from_text
from lockstep.portfolio.attribution import GROUPS, MONEY_PARTS, Share, grouped, total

HOUR_NS = 3600 * NANOS_PER_SECOND
TIMES = ("hour", "day", "month")
_POSTED = ("realised", "fees", "dividends", "funding", "borrow")

Row = dict[str, Any]
"""A group's name under "group"; fills; its amounts and "net", Decimal; slippage and spread_cost, floats."""


class Attribution(msgspec.Struct, frozen=True):
    """by: what the rows are. total: their sum, the account's profit; exchange: what changes of rates added besides."""

    by: str
    currency: str
    rows: tuple[Row, ...]
    total: Row
    exchange: Decimal


def attribution(manifest: Mapping[str, Any], tables: Callable[[str], Mapping[str, Any]], by: str) -> Attribution:
    """The profit of a run by "strategy", "symbol", "currency", or "hour" of the day, "day", "month", all UTC.

    Args:   tables: gives a table of the run by its name. An hour, a day, a month includes the moment it ends at.
    Raises: UsageError: another grouping.
    """
    if by not in (*GROUPS, *TIMES):
        raise UsageError(
            f"profit is grouped by {', '.join((*GROUPS, *TIMES))}: was {by!r}", hint=did_you_mean(by, (*GROUPS, *TIMES))
        )
    account = manifest["account"]
    cells = [_share(facts) for facts in account["shares"]]
    whole = total(cells)
    if by in GROUPS:
        rows = tuple(_row(getattr(one, by), one) for one in grouped(cells, by))
    else:
        rows = tuple(_by_time(account["statement"], tables, by, whole))
    statement = account["statement"]
    return Attribution(by, statement["currency"], rows, _row("total", whole), Decimal(statement["exchange"]))


def _share(facts: Mapping[str, Any]) -> Share:
    decimals = _decimals(facts["net"])
    return Share(
        strategy=facts["strategy"],
        symbol=facts["symbol"],
        currency=facts["currency"],
        decimals=decimals,
        fills=facts["fills"],
        slippage=facts["slippage"],
        spread_cost=facts["spread_cost"],
        **{name: fixed_from_text(facts[name], decimals) for name in MONEY_PARTS},
    )


def _decimals(text: str) -> int:
    """Of a ledger: its amounts are written with all of them."""
    return len(text.partition(".")[2])


def _row(group: str, share: Share) -> Row:
    money = {name: share.money(name) for name in (*MONEY_PARTS, "net")}
    return {"group": group, "fills": share.fills, **money, "slippage": share.slippage, "spread_cost": share.spread_cost}


def _by_time(
    statement: Mapping[str, Any], tables: Callable[[str], Mapping[str, Any]], by: str, whole: Share
) -> list[Row]:
    """Rows in order of time. The open profit of a row is what its marks left of the equity's change."""
    decimals = whole.decimals
    opened = _open_profits(tables, decimals, statement, whole)
    posted = tables("profit")
    groups: dict[str, Share] = {}

    def add(hour: int, **changes: Any) -> None:
        name = _name(hour, by)
        groups[name] = total([groups.get(name, Share(decimals=decimals)), Share(decimals=decimals, **changes)])

    for row, ts in enumerate(posted["ts"].tolist()):
        money = {name: fixed_from_text(posted[name][row], decimals) for name in _POSTED}
        costs = {name: float(posted[name][row]) for name in ("slippage", "spread_cost")}
        add(ts // HOUR_NS, fills=int(posted["fills"][row]), **money, **costs)
    for hour, change in opened:
        add(hour, unrealised=change)
    return [_row(name, groups[name]) for name in sorted(groups)]


def _open_profits(
    tables: Callable[[str], Mapping[str, Any]], decimals: int, statement: Mapping[str, Any], whole: Share
) -> list[tuple[int, int]]:
    """(hour, change of the open profit in it), ledger units; their sum is the open profit at the end, exactly."""
    equity, posted = tables("equity"), tables("profit")
    hours = (np.asarray(equity["ts"]) - 1) // HOUR_NS
    if not len(hours):
        return []
    ends = np.flatnonzero(np.append(hours[1:] != hours[:-1], True))
    booked: dict[int, int] = {}
    for row, ts in enumerate(posted["ts"].tolist()):
        parts = {name: fixed_from_text(posted[name][row], decimals) for name in _POSTED}
        booked[ts // HOUR_NS] = booked.get(ts // HOUR_NS, 0) + sum(parts.values()) - 2 * parts["fees"]
    waiting = sorted(booked.items())
    opening = fixed_from_text(statement["opening"], decimals)
    found: list[tuple[int, int]] = []
    so_far = open_before = place = 0
    for end in ends.tolist():
        hour = int(hours[end])
        while place < len(waiting) and waiting[place][0] <= hour:
            so_far += waiting[place][1]
            place += 1
        marked = float(equity["equity"][end])
        last = end == len(hours) - 1
        known = (
            round(MONEY.scaleb(Decimal(repr(marked)), decimals)) - opening - so_far
            if math.isfinite(marked)
            else open_before
        )
        now = whole.unrealised if last else known
        found.append((hour, now - open_before))
        open_before = now
    return found


def _name(hour: int, by: str) -> str:
    moment = datetime.fromtimestamp(hour * 3600, UTC)
    return moment.strftime({"hour": "%H:00", "day": "%Y-%m-%d", "month": "%Y-%m"}[by])
