"""The tables of docs/guides/market-making.md: what the shipped strategies on order books earned on the recordings.

Run: PYTHONPATH=src:tools python tools/market_making.py FOLDER, where FOLDER holds the Binance recordings.
"""

import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from lockstep.model.fees import fee_schedule_from_text
from lockstep.portfolio.attribution import shares, total
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.execution import execution_facts
from lockstep.run.strategy_file import load_strategy
from lockstep.sim.models import Slippage, book_fills_from_text, latency_from_text
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FEE = "0.02%/0.05%"
CASH = Decimal(100_000)
HEADS = ("messages", "fills", "filled at the best", "gross", "fees", "net", "after 1 s", "5 s", "15 s")


class Case(NamedTuple):
    """One run. params: as `--param` writes them."""

    strategy: str
    recording: str
    latency: str
    queue: str
    params: str = ""


BTC, ETH, SPOT = "usdm_btcusdt", "usdm_ethusdt", "spot_btcusdt"
TAIL = "entry=20ms+lognormal:180ms:0.5"
QUEUES = [
    Case("market_maker", BTC, latency, queue)
    for latency in ("none", "colocated", "recorded", "remote")
    for queue in ("pessimistic", "power:3", "log", "rebuilt")
] + [Case("market_maker", BTC, TAIL, "pessimistic")]
OTHERS = [
    Case("market_maker", BTC, "remote", "pessimistic", "least_bps=2"),
    Case("market_maker", ETH, "remote", "pessimistic", "qty=0.1"),
    Case("market_maker", SPOT, "remote", "pessimistic"),
]
TAKERS = [
    Case("imbalance_taker", recording, latency, "pessimistic", params)
    for recording, latency, params in (
        (BTC, "none", ""),
        (BTC, "remote", ""),
        (BTC, "none", "cost_bps=0.2"),
        (BTC, "remote", "cost_bps=0.2"),
        (BTC, "none", "cost_bps=10"),
        (ETH, "none", "qty=0.1"),
        (ETH, "remote", "qty=0.1"),
        (SPOT, "none", ""),
        (SPOT, "remote", ""),
    )
]
CASES = QUEUES + OTHERS + TAKERS


@lru_cache(maxsize=1)
def histories(folder: Path, recording: str) -> list[MarketData]:
    """A recording's book and trades; the last that was asked for is kept."""
    return read_market_data(folder / f"binance_{recording}_20240808.raw.zst", kind="depth")


def facts_of(case: Case, folder: Path) -> dict[str, Any]:
    """What a run came to."""
    config = BacktestConfig(
        cash=CASH,
        latency=latency_from_text(case.latency),
        books=book_fills_from_text(case.queue),
        fees=fee_schedule_from_text(FEE),
        slippage=Slippage(),
    )
    strategy = load_strategy(EXAMPLES / f"{case.strategy}.py")
    params = dict(entry.split("=") for entry in case.params.split())
    outcome = Backtest(strategy, histories(folder, case.recording), config, params).run()
    facts = execution_facts(outcome) or {}
    return facts | {
        "fills": outcome.fills,
        "net": outcome.final_equity - float(CASH),
        "fees": float(total(shares(outcome.engine.portfolio)).money("fees")),
    }


def cells(case: Case, folder: Path) -> tuple[str, ...]:
    """A run as the cells of a row."""
    facts = facts_of(case, folder)
    at_best = next(rate for rate in facts["fill_rates"] if rate["distance"] == "at best")
    marks = {mark["horizon_s"]: mark["ticks"] for mark in facts["mark_outs"]}
    share = "-" if at_best["share"] is None else f"{100 * at_best['share']:.0f} %"
    money = (facts["net"] + facts["fees"], facts["fees"], facts["net"])
    return (
        f"{sum(facts['messages'].values()):,}",
        f"{facts['fills']:,}",
        share,
        *(f"{amount:.2f}" for amount in money),
        *("-" if marks.get(seconds) is None else f"{marks[seconds]:+.1f}" for seconds in (1, 5, 15)),
    )


def table(cases: list[Case], folder: Path) -> Iterator[str]:
    """The rows of a table."""
    names = ("strategy", "recording", "latency", "queue", "parameters")
    yield f"| {' | '.join(names + HEADS)} |"
    yield "|" + "---|" * len(names + HEADS)
    for case in cases:
        given = (case.strategy, case.recording, case.latency, case.queue, case.params or "defaults")
        yield f"| {' | '.join(given + cells(case, folder))} |"


if __name__ == "__main__":
    for group in (QUEUES, OTHERS, TAKERS):
        print("\n".join(table(group, Path(sys.argv[1]))), end="\n\n")
