"""What a finished run leaves on disk: runs/<run_hash>/, and the few figures a command line shows."""

import hashlib
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from lockstep._version import __version__
from lockstep.analytics.drawdown import max_drawdown
from lockstep.analytics.trades import Trades
from lockstep.model.enums import AssetClass, BookState, OrderEventKind, Settlement
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.timeframe import timeframe_text
from lockstep.portfolio.attribution import shares, total
from lockstep.portfolio.readings import PortfolioReadings
from lockstep.risk.limits import NO_KILL
from lockstep.run.backtest import Outcome, is_compiled
from lockstep.run.execution import execution_facts
from lockstep.run.plan import StrategyPlan
from lockstep.run.prices import Action, ChartBars, chart_bars, hold, hold_all
from lockstep.run.profit import profit_columns
from lockstep.run.sensitivity import headline, sensitivity
from lockstep.run.tables import (
    equity_blocks,
    equity_columns,
    fill_blocks,
    kind_counts,
    markout_blocks,
    order_blocks,
    placement_columns,
    risk_blocks,
    round_trips,
    signal_columns,
    trade_columns,
)
from lockstep.store.catalog.market_data import DataInfo
from lockstep.store.catalog.times import time_text
from lockstep.store.run_tables import RESULT_SCHEMA_VERSION
from lockstep.store.runs import RunFolder, RunWriter

Step = Callable[[str, int, int], None]


def finish_run(
    outcome: Outcome, root: Path, *, command: str, with_sensitivity: bool = True, step: Step | None = None
) -> RunFolder:
    """Write a run folder, atomically.

    Args:   root: the folder of runs; command: the line that reproduces the run; step: told what is being computed.
    Raises: OSError: the folder cannot be written; nothing half-written stays.
    """
    found = sensitivity(outcome, step) if with_sensitivity else None
    trades = round_trips(outcome)
    charts, actions = _prices(outcome)
    with RunWriter(root) as writer:
        for name, blocks in (
            ("equity", equity_blocks(outcome)),
            ("fills", fill_blocks(outcome)),
            ("markouts", markout_blocks(outcome)),
            ("orders", order_blocks(outcome)),
            ("risk", risk_blocks(outcome)),
        ):
            for block in blocks:
                writer.append_table(name, block)
        writer.write_table("placements", placement_columns(outcome))
        writer.write_table("trades", trade_columns(outcome, trades))
        writer.write_table("signals", signal_columns(outcome))
        writer.write_table("profit", profit_columns(outcome))
        for chart in charts:
            writer.append_table("prices", _chart_columns(chart))
        writer.write_table("benchmark", _benchmark(outcome))
        writer.write_table("actions", _action_columns(actions))
        writer.write_json("manifest.json", manifest(outcome, trades, command, found))
        writer.write_json("session.json", _session(outcome))
        return RunFolder(writer.commit(outcome.run_hash))


def summary(outcome: Outcome) -> dict[str, Any]:
    """The figures every `--json` of a backtest has; computed from the outcome, nothing is written."""
    top = headline(outcome)
    return {
        "run_hash": outcome.run_hash,
        "decision_hash": outcome.decision_hash,
        "events": outcome.events,
        "orders": outcome.orders,
        "denied": outcome.denied,
        "fills": outcome.fills,
        "trades": top["trades"],
        "total_return": top["total_return"],
        "sharpe": top["sharpe"],
        "max_drawdown": deepest_loss(outcome),
        "final_equity": top["final_equity"],
        "latency": outcome.backtest.settled.facts(),
        "seconds": outcome.seconds,
        "compiled": is_compiled(),
    }


def manifest(outcome: Outcome, trades: Trades, command: str, found: dict[str, Any] | None) -> dict[str, Any]:
    """manifest.json: what was run, on what, and how it ended. The same inputs give the same bytes."""
    backtest = outcome.backtest
    first, *beside = backtest.plans
    source = "\n".join(plan.strategy.source for plan in backtest.plans)
    return {
        "schema_version": RESULT_SCHEMA_VERSION,
        "kind": "backtest",
        "run_hash": outcome.run_hash,
        "decision_hash": outcome.decision_hash,
        "strategy": {
            "name": backtest.name,
            "source_sha256": hashlib.sha256(source.encode()).hexdigest(),
            **_plan(first),
            "beside": [_plan(plan) for plan in beside],
        },
        "command": command,
        "config": _config(outcome),
        "latency": backtest.settled.facts(),
        "instruments": [_instrument(instrument) for instrument in backtest.instruments],
        "data": [_data(entry.info) for entry in backtest.data],
        "counts": _counts(outcome, trades),
        "headline": _headline(outcome),
        "final": _final(outcome),
        "account": _account(outcome),
        "risk": risk_facts(outcome),
        "execution": execution_facts(outcome),
        "sensitivity": found,
        "stopped": None,
        "warnings": [
            *_warnings(outcome),
            *(f"the strategy failed in a rerun, {text}" for text in (found or {}).get("failed", ())),
        ],
    }


def _plan(plan: StrategyPlan) -> dict[str, Any]:
    return {
        "class_name": plan.strategy.name,
        "file": plan.strategy.file_name,
        "params": _params(plan.all_params),
        "symbols": None if plan.symbols is None else list(plan.symbols),
        "timeframe": None if plan.timeframe_ns is None else timeframe_text(plan.timeframe_ns),
    }


def _params(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON has them; a Decimal as its text."""
    return {name: value if isinstance(value, (bool, int, float, str)) else str(value) for name, value in values.items()}


def _headline(outcome: Outcome) -> dict[str, Any]:
    """The figures that a list of runs shows, so that it need not open every table."""
    top = headline(outcome)
    return {
        "total_return": top["total_return"],
        "sharpe": top["sharpe"],
        "max_drawdown": deepest_loss(outcome),
    }


def deepest_loss(outcome: Outcome) -> float | None:
    """The maximum drawdown over every equity row, as a fraction at or below 0; None without rows."""
    equity = equity_columns(outcome)["equity"]
    return max_drawdown(equity, float(outcome.backtest.config.cash)) if len(equity) else None


def _config(outcome: Outcome) -> dict[str, Any]:
    config = outcome.backtest.config
    facts = config.facts()
    fees: FeeSchedule | None = config.fees
    facts["fees"] = None if fees is None else fees.text()
    return facts | {"currency": outcome.engine.portfolio.ledger.currency}


def _instrument(instrument: Instrument) -> dict[str, Any]:
    return {
        "id": instrument.id,
        "symbol": instrument.symbol,
        "venue": instrument.venue,
        "asset_class": instrument.asset_class.name.lower(),
        "currency": instrument.currency,
        "price_decimals": instrument.price_decimals,
        "qty_decimals": instrument.qty_decimals,
        "session": instrument.session.name,
        "timezone": instrument.session.timezone,
        "periods_per_year": instrument.session.periods_per_year,
        "fees": instrument.fees.text(),
    }


def _data(info: DataInfo) -> dict[str, Any]:
    return {name: getattr(info, name) for name in info.__struct_fields__} | {"notes": list(info.notes)}


def _counts(outcome: Outcome, trades: Trades) -> dict[str, int]:
    kinds = kind_counts(outcome)
    order_events = [kind.name.lower() for kind in OrderEventKind if kind.name not in ("SUBMIT", "CANCEL_REQUEST")]
    return {
        "events": outcome.events,
        "bars": outcome.engine.bars,
        "orders": outcome.orders,
        "order_events": sum(kinds.get(name, 0) for name in order_events),
        "fills": outcome.fills,
        "trades": int(np.count_nonzero(~trades.is_open)),
        "signals": len(outcome.signals),
        "denied": outcome.denied,
        "rejected": kinds.get("reject", 0),
    }


def _final(outcome: Outcome) -> dict[str, Any]:
    portfolio = outcome.engine.portfolio
    profit = total(shares(portfolio))
    exact = {name: f"{profit.money(name):f}" for name in ("realised", "fees", "dividends", "funding", "borrow")}
    return {
        "equity": repr(outcome.final_equity),
        "cash": f"{portfolio.ledger.balance:f}" if len(portfolio.ledgers) == 1 else repr(portfolio.cash()),
        **exact,
        "unrealised": repr(float(sum(one.holding.in_account(one.unrealised) for one in portfolio.positions if one))),
        "slippage": repr(profit.slippage),
        "spread_cost": repr(profit.spread_cost),
        "open_positions": [
            {
                "symbol": position.instrument.symbol,
                "strategy": position.strategy,
                "qty": position.qty,
                "price": position.holding.last / 10.0**position.instrument.price_decimals,
                "value": position.holding.in_account(position.value),
            }
            for position in portfolio.positions
            if position
        ],
        "open_orders": len(outcome.engine.open_orders()),
    }


def _account(outcome: Outcome) -> dict[str, Any]:
    """The account at the end, exactly, the figures of the last mark, and each strategy's profit in each instrument."""
    readings = PortfolioReadings(outcome.engine.portfolio)
    return {
        "statement": readings.statement().facts(),
        "readings": readings.facts(),
        "shares": [share.facts() for share in readings.profit()],
    }


def risk_facts(outcome: Outcome) -> dict[str, Any]:
    """What the gates saw: orders checked and refused, how near each limit came, and what the kill switch did."""
    state = outcome.engine.state
    gates = [(sub, sub.gate) for sub in state.subscriptions]
    return {
        "checked": sum(gate.checked for _, gate in gates),
        "refused": sum(gate.refused for _, gate in gates),
        "nearest": [
            {"rule": rule, "strategy": sub.strategy, "symbol": sub.instrument.symbol, "part": part}
            for sub, gate in gates
            for rule, part in sorted(gate.nearest().items())
        ],
        "halted": bool(state.desk.halted),
        "kill_switch": [msgspec.to_builtins(act) for act in state.desk.acts],
    }


def _warnings(outcome: Outcome) -> list[str]:
    warnings = []
    engine = outcome.engine
    for (state, event), count in sorted(engine.state.orders.anomalies.items()):
        warnings.append(f"{count} x {event} in order state {state}: not expected")
    equity = equity_columns(outcome)["equity"]
    if len(equity) and float(equity.min()) <= 0.0:
        warnings.append("the account's equity fell to 0 or below: a broker would have closed it")
    unpriced = [
        entry.info.symbol
        for entry in (feeds.main for feeds in outcome.backtest.feeds)
        if entry.info.adjustments != "applied" and entry.instrument.asset_class is AssetClass.EQUITY
    ]
    if unpriced:
        warnings.append(f"splits and dividends not modelled: {', '.join(unpriced)}")
    warnings += outcome.history_missing
    for feeds in outcome.backtest.feeds:
        if feeds.hours.left_out:
            session = feeds.instrument.session.name
            warnings.append(
                f"{feeds.hours.left_out:,} events of {feeds.instrument.symbol} lie outside the hours of session {session}"
            )
    warnings += _book_warnings(outcome)
    if outcome.backtest.without_data:
        warnings.append(f"no data in the range, left out: {', '.join(outcome.backtest.without_data)}")
    if outcome.backtest.without_prices:
        warnings.append(f"no trade or quote tells a price, left out: {', '.join(outcome.backtest.without_prices)}")
    calls = kind_counts(outcome).get("margin_call", 0)
    if calls:
        warnings.append(
            f"{calls} margin call{'s' * (calls > 1)}: equity fell below the maintenance margin, and a broker would have sold"
        )
    if engine.state.desk.halted:
        act = [act for act in engine.state.desk.acts if act.rule not in NO_KILL][-1]
        warnings.append(f"the kill switch went on at {time_text(act.ts)} ({act.why}) and was not reset")
    open_orders = len(engine.open_orders())
    if open_orders:
        were = "order was" if open_orders == 1 else "orders were"
        warnings.append(f"{open_orders} {were} still working when the data ended")
    return warnings


def _times(count: int) -> str:
    """Of changes of a book and trades that an order of ours waited for, and of its orders that arrived."""
    return f"{count:,} event{'s' * (count != 1)} (changes of the book, trades, arrivals) came to"


_NEVER_FULL = "no full book came; --book-start empty believes it from its first change on"


def _book_warnings(outcome: Outcome) -> list[str]:
    """What was wrong with the books, and where orders met nothing because one could not be trusted."""
    found = []
    histories = (feeds.histories.get("book") for feeds in outcome.backtest.feeds)
    gaps = {data.instrument.id: data.info.gaps for data in histories if data is not None}
    for market in outcome.markets:
        if market.depth is not None:
            symbol, state = market.instrument.symbol, market.depth.book.status[0].name
            faults = {"GAP": gaps[market.instrument.id]} | market.depth.book.fault_counts()
            told = ", ".join(f"{count:,} x {fault}" for fault, count in faults.items() if count)
            if told:
                where = "; the notes of the data say where" if outcome.backtest.config.books.start == "full" else ""
                found.append(f"{symbol}: faults of its book: {told}{where}")
            for why, count in market.depth.shut_counts().items():
                found.append(f"{symbol}: {_times(count)} nothing for our orders since the book was {why}")
            if market.depth.after_end:
                found.append(
                    f"{symbol}: {_times(market.depth.after_end)} nothing for our orders since its data had ended "
                    f"({time_text(market.depth.ends)}): nothing says that its book still stood; --silence believes it for a while"
                )
            if not market.depth.book.is_good:
                advice = f": {_NEVER_FULL}" if state == BookState.EMPTY.name else ""
                found.append(f"{symbol}: the book was {state} when the data ended{advice}")
    return found


def _session(outcome: Outcome) -> dict[str, Any]:
    """The wall-clock facts, kept apart from what must be the same each time."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": outcome.seconds,
        "compiled": is_compiled(),
        "version": __version__,
        "python": platform.python_version(),
        "platform": sys.platform,
        "peak_rss_mb": _peak_rss_mb(),
        "verdict_ns": _verdict_ns(outcome),
    }


def _verdict_ns(outcome: Outcome) -> dict[str, int]:
    """How long the risk gate took over an order: percentiles to an eighth, as `risk.timings` keeps them."""
    timings = outcome.engine.state.desk.timings
    parts = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    found = {name: timings.percentile(part) for name, part in parts.items()}
    return {"count": timings.count, **found, "max": timings.longest}


def _peak_rss_mb() -> float | None:
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return None


def _prices(outcome: Outcome) -> tuple[list[ChartBars], list[Action]]:
    config = outcome.backtest.config
    charts, actions = [], []
    for feeds in outcome.backtest.feeds:
        chart, found = chart_bars(feeds.view(), config.start_ns, config.end_ns)
        charts.append(chart)
        actions.extend(found)
    return charts, sorted(actions)


def _chart_columns(chart: ChartBars) -> dict[str, Any]:
    return {
        "ts": chart.ts,
        "symbol": [chart.symbol] * len(chart.ts),
        "open": chart.open,
        "high": chart.high,
        "low": chart.low,
        "close": chart.close,
        "volume": chart.volume,
    }


def _action_columns(actions: list[Action]) -> dict[str, Any]:
    return {
        "ts": np.array([action.ts for action in actions], np.int64),
        "symbol": [action.symbol for action in actions],
        "kind": [action.kind for action in actions],
        "ratio_num": np.array([action.num for action in actions], np.int64),
        "ratio_den": np.array([action.den for action in actions], np.int64),
        "amount": np.array([action.amount for action in actions], np.float64),
    }


def _benchmark(outcome: Outcome) -> dict[str, Any]:
    """Equal money in each instrument, held; empty where holding has no plain meaning (inverse contracts)."""
    backtest = outcome.backtest
    config = backtest.config
    if any(instrument.settlement is Settlement.INVERSE for instrument in backtest.instruments):
        return {"ts": np.empty(0, np.int64), "equity": np.empty(0)}
    money = float(config.cash) / len(backtest.feeds)
    holdings = [hold(feeds.view(), money, config.start_ns, config.end_ns) for feeds in backtest.feeds]
    ts, equity = hold_all(holdings)
    return {"ts": ts, "equity": equity}
