"""When the account earned what: every fill's profit and fee and every posting of cash, summed by hour, exactly."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.engine.records import BORROW, DIVIDEND, FUNDING, IN_LIEU, POSTINGS, exact_units, field
from lockstep.model.numbers import NANOS_PER_SECOND, text_from_fixed
from lockstep.portfolio.currencies import converted
from lockstep.portfolio.portfolio import Portfolio
from lockstep.run.backtest import Outcome

HOUR_NS = 3600 * NANOS_PER_SECOND
PARTS = ("realised", "fees", "dividends", "funding", "borrow")
_PART_OF = {DIVIDEND: 2, FUNDING: 3, BORROW: 4}
_SAFE = 1 << 62

Key = tuple[int, int, int]
"""(hour since 1970, strategy, instrument)."""


class Cell:
    """What one strategy earned in one instrument in one hour: ledger units of its settlement currency, by PARTS.

    costs: slippage and spread cost, the same currency, floats.
    """

    __slots__ = ("amounts", "costs", "fills")

    def __init__(self) -> None:
        self.fills = 0
        self.amounts = [0, 0, 0, 0, 0]
        self.costs = [0.0, 0.0]


def hour_of(ts: Any) -> Any:
    """The hour something belongs to: what is known at a full hour belongs to the hour that ends with it, as a bar does."""
    return (ts - 1) // HOUR_NS


def hourly_cells(outcome: Outcome) -> dict[Key, Cell]:
    """Every hour in which something was posted, unsorted."""
    decimals = outcome.engine.portfolio.ledger.decimals
    cells: dict[Key, Cell] = {}
    for block in outcome.fill_rows.blocks():
        _add_fills(cells, block, decimals)
    for block in outcome.decisions.blocks():
        kind = field(block[:, 2], "kind")
        _add_postings(cells, block[np.isin(kind, POSTINGS)], decimals)
    return cells


def _keys(ts: NDArray[np.int64], head: NDArray[np.int64]) -> list[Key]:
    return list(
        zip(hour_of(ts).tolist(), field(head, "strategy").tolist(), field(head, "instrument").tolist(), strict=True)
    )


def _add_fills(cells: dict[Key, Cell], block: NDArray[np.int64], decimals: int) -> None:
    floats = block.view(np.float64)
    profits = exact_column(block[:, 13], floats[:, 12], decimals)
    fees = exact_column(block[:, 11], floats[:, 8], decimals)
    costs = zip(floats[:, 9].tolist(), floats[:, 10].tolist(), strict=True)
    for key, profit, fee, (slippage, spread) in zip(_keys(block[:, 0], block[:, 4]), profits, fees, costs, strict=True):
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = Cell()
        cell.fills += 1
        cell.amounts[0] += profit
        cell.amounts[1] += fee
        cell.costs[0] += slippage
        cell.costs[1] += spread


def _add_postings(cells: dict[Key, Cell], block: NDArray[np.int64], decimals: int) -> None:
    if not len(block):
        return
    floats = block.view(np.float64)
    kinds = field(block[:, 2], "kind").tolist()
    money = exact_column(block[:, 6], floats[:, 7], decimals)
    for row, (key, kind) in enumerate(zip(_keys(block[:, 0], block[:, 2]), kinds, strict=True)):
        amounts = cells.setdefault(key, Cell()).amounts
        if kind == IN_LIEU:
            amounts[0] += exact_units(int(block[row, 4]), float(floats[row, 5]), decimals)
        else:
            amounts[_PART_OF[kind]] += money[row]


def exact_column(low: NDArray[np.int64], amounts: NDArray[np.float64], decimals: int) -> list[int]:
    """Ledger units from their low words and the amounts as floats: see `engine.records.exact_units`."""
    words: list[int] = low.tolist()
    if not len(amounts) or float(np.max(np.abs(amounts))) * 10.0**decimals < _SAFE:
        return words
    return [exact_units(word, amount, decimals) for word, amount in zip(words, amounts.tolist(), strict=True)]


def profit_columns(outcome: Outcome) -> dict[str, Any]:
    """The profit table: money as exact texts in the account's currency at the last rates.

    Amounts are converted so that those of one strategy and instrument add up to its share, to the unit.
    """
    portfolio = outcome.engine.portfolio
    rates = [None if held.rate is None else held.rate.exact() for held in portfolio.holdings]
    cells = hourly_cells(outcome)
    decimals = portfolio.ledger.decimals
    rows = list(_converted(cells, rates))
    texts = {part: [text_from_fixed(amounts[k], decimals) for _, amounts in rows] for k, part in enumerate(PARTS)}
    seats, instruments = outcome.engine.seats, outcome.backtest.instruments
    return {
        "ts": np.array([key[0] * HOUR_NS for key, _ in rows], np.int64),
        "strategy": [seats[key[1]].name for key, _ in rows],
        "symbol": [instruments[key[2]].id for key, _ in rows],
        "currency": [instruments[key[2]].currency for key, _ in rows],
        "fills": np.array([cells[key].fills for key, _ in rows], np.int64),
        **texts,
        "slippage": np.array([_lost(portfolio, key, cells[key].costs[0]) for key, _ in rows], np.float64),
        "spread_cost": np.array([_lost(portfolio, key, cells[key].costs[1]) for key, _ in rows], np.float64),
    }


def _lost(portfolio: Portfolio, key: Key, cost: float) -> float:
    """At the last rate, as the shares have it; 0.0 needs none."""
    return portfolio.holdings[key[2]].in_account(cost) if cost else 0.0


def _converted(cells: dict[Key, Cell], rates: list[Fraction | None]) -> Iterator[tuple[Key, list[int]]]:
    """In order of time, each amount as the difference of two converted totals: their sum is the converted total."""
    totals: dict[tuple[int, int], list[int]] = {}
    for key in sorted(cells):
        _, strategy, instrument = key
        before = totals.get((strategy, instrument), [0] * len(PARTS))
        after = [total + amount for total, amount in zip(before, cells[key].amounts, strict=True)]
        totals[strategy, instrument] = after
        rate = rates[instrument]
        yield key, [converted(b, rate) - converted(a, rate) for a, b in zip(before, after, strict=True)]
