"""IBM on the New York Stock Exchange, 7 October 2013, as recorded: the venue equals its slow twin on real ticks too."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from machine import MILLI, T0
from slow_ticks import SlowTicks, TickRules, TickWish
from tick_machine import play

OPEN_MS, MINUTES = 34_200_000, 20  # from half past nine


def rows_of(folder: Path, what: str) -> list[list[str]]:
    with zipfile.ZipFile(folder / f"lean/equity/usa/tick/ibm/20131007_{what}.zip") as packed:
        rows = list(csv.reader(io.TextIOWrapper(packed.open(packed.namelist()[0]), "ascii")))
    return [row for row in rows if OPEN_MS <= int(row[0]) < OPEN_MS + MINUTES * 60_000]


def real_ticks(folder: Path) -> list[tuple[Any, ...]]:
    """Quotes and trades of one exchange, in time. A quote is a row with the bid and, beside it, one with the ask."""
    found: list[tuple[Any, ...]] = []
    bid = (0, 0)
    for ms, bid_price, bid_size, ask_price, ask_size, exchange, *_ in rows_of(folder, "quote"):
        if exchange != "N":
            continue
        if int(bid_price):
            bid = (int(bid_price), int(bid_size))
        else:
            found.append(("quote", T0 + int(ms) * MILLI, bid[0], int(ask_price), bid[1], int(ask_size)))
    for ms, price, size, exchange, *_ in rows_of(folder, "trade"):
        if exchange == "N":
            found.append(("trade", T0 + int(ms) * MILLI, int(price), int(size), 0))
    found.sort(key=lambda entry: (entry[1], entry[0] == "quote"))
    return found


def with_orders(ticks: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """An order after every 40th tick, of each kind in turn, near the price."""
    todo: list[tuple[Any, ...]] = []
    last = 0
    for k, tick in enumerate(ticks):
        todo.append(tick)
        last = tick[2] if tick[0] == "trade" else last
        if k % 40 or not last:
            continue
        ident = k // 40 + 1
        side = 1 if ident % 2 else -1
        wishes = [
            TickWish(side, 300),
            TickWish(side, 200, "limit", limit=last - side * 300, post_only=True),
            TickWish(side, 500, "limit", limit=last + side * 200),
            TickWish(side, 100, "stop", stop=last + side * 400),
            TickWish(side, 300, "trailing", trail=1500, ppm=True, reduce_only=True),
            TickWish(side, 200, "stop_limit", stop=last + side * 300, limit=last + side * 300),
            TickWish(side, 2000, "limit", limit=last, tif="IOC"),
            TickWish(side, 100, "trailing", trail=900),
        ]
        todo.append(("send", tick[1], ident, wishes[ident // 2 % 8]))
    return todo


@pytest.mark.parametrize(("quotes", "trades"), [(True, False), (False, True), (True, True)])
def test_venue_equals_its_slow_twin_on_recorded_ticks(data: Path, quotes: bool, trades: bool) -> None:
    wanted = {name for name, kept in (("quote", quotes), ("trade", trades)) if kept}
    todo = with_orders([tick for tick in real_ticks(data) if tick[0] in wanted] if trades else real_ticks(data))
    todo = [action for action in todo if action[0] in {*wanted, "send"}]
    rules = TickRules(quotes=quotes, trades=trades, latency=5 * MILLI, share=(1, 10), slip_bps=1)
    twin = SlowTicks(rules)
    twin.run(todo)
    told, fills, _ = play(rules, todo)
    assert told == twin.told
    assert fills == twin.fills
    assert len(fills) > 50
    assert {fill[4] for fill in fills} == {True, False}
    assert play(rules, todo)[:2] == (told, fills)  # the same a second time
