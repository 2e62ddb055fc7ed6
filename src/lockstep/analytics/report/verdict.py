"""What a run amounts to, in plain words. Rules of caution, never of praise: each sentence states a fact and its limit.

The rules read a small record of facts and nothing else, so that each of them is tested as a row of a table.
"""

from dataclasses import dataclass

from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.measures import Measures
from lockstep.analytics.report.wording import count, money, number, percent, plural, ratio
from lockstep.analytics.trades import RELIABLE_TRADES_MIN

__all__ = ["Facts", "Verdict", "facts_of", "verdict"]

YEAR_DAYS = 365.0
LARGE_SHARE = 0.10  # a share of the P&L that a reader should know of
HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rules look at. Returns and drawdowns are fractions (a drawdown at or below 0), money is in `currency`.

    profit:             final equity less the capital. costs: commission and slippage, a cost being positive.
    cost_profits, path_profit, delayed_profit: profit at each multiple of the costs, with the other path inside the
    bars, and acting one bar later; empty or None where the run did not compute them.
    best_trade:         net profit of the best closed trade.
    """

    currency: str
    days: float
    orders: int
    fills: int
    refused: int
    closed: int
    still_open: int
    profit: float
    total_return: float | None
    annual_return: float | None
    max_drawdown: float | None
    benchmark_return: float | None
    benchmark_annual: float | None
    benchmark_drawdown: float | None
    sharpe: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    sharpe_level: float
    costs: float
    cost_profits: tuple[tuple[float, float], ...]
    path_profit: float | None
    path_share: float | None
    delayed_profit: float | None
    best_trade: float | None
    unrealised: float
    stopped: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """headline: the one line on top. sentences: what limits it, most important first."""

    headline: str
    sentences: tuple[str, ...]


def facts_of(run: ReportInput, measures: Measures) -> Facts:
    """Gather what the rules need from a run and its measures."""
    manifest, summary = run.manifest, measures.summary
    cash = summary.initial_equity or manifest.cash
    interval, held, extra = summary.sharpe_interval, summary.benchmark, manifest.sensitivity
    path = extra.bar_path if extra else None
    delayed = [row for row in (extra.latency if extra else ()) if "bar" in row.label.lower()]
    closed = measures.trades.closed()
    return Facts(
        currency=manifest.currency,
        days=measures.years * 365.25,
        orders=manifest.counts.orders,
        fills=run.rows("fills"),
        refused=manifest.counts.denied + manifest.counts.rejected,
        closed=closed.count,
        still_open=measures.trades.count - closed.count,
        profit=float(manifest.final.equity) - cash,
        total_return=summary.total_return,
        annual_return=summary.annual_return,
        max_drawdown=summary.max_drawdown,
        benchmark_return=held.total_return if held else None,
        benchmark_annual=measures.benchmark_annual,
        benchmark_drawdown=held.max_drawdown if held else None,
        sharpe=summary.sharpe,
        sharpe_low=interval.low if interval else None,
        sharpe_high=interval.high if interval else None,
        sharpe_level=interval.level if interval else 0.95,
        costs=float(manifest.final.fees) + float(manifest.final.slippage),
        cost_profits=tuple((r.multiple, float(r.final_equity) - cash) for r in (extra.costs if extra else ())),
        path_profit=float(path.final_equity_other) - cash if path else None,
        path_share=path.share_of_pnl if path else None,
        delayed_profit=float(delayed[-1].final_equity) - cash if delayed else None,
        best_trade=float(closed.net_pnl.max()) if closed.count else None,
        unrealised=float(manifest.final.unrealised),
        stopped=manifest.stopped,
    )


def verdict(facts: Facts) -> Verdict:
    """The headline and the sentences that limit it."""
    if facts.fills == 0:
        return Verdict(nothing_happened(facts), ())
    rules = (
        _stopped, _against_holding, _sure, _costs, _cost_multiples, _bar_path, _delay, _one_trade, _unrealised,
    )  # fmt: skip
    return Verdict(headline(facts), tuple(text for rule in rules if (text := rule(facts))))


def nothing_happened(facts: Facts) -> str:
    """The headline of a run without a fill: how far its orders came."""
    early = f" The run stopped early: {facts.stopped}." if facts.stopped else ""
    if facts.orders == 0:
        return f"The strategy sent no order, so there is no result to judge.{early}"
    refused = f"; {count(facts.refused)} of them refused" if facts.refused else ""
    sent = plural(facts.orders, "order")
    return f"No order was filled ({sent} sent{refused}), so there is no result to judge.{early}"


def _gain_or_loss(value: float) -> str:
    return f"Made {percent(value)}" if value >= 0 else f"Lost {percent(-value)}"


def _gain_or_loss_of(value: float) -> str:
    return f"a gain of {percent(value)}" if value >= 0 else f"a loss of {percent(-value)}"


def headline(facts: Facts) -> str:
    """Return, buy and hold, and the worst loss, in one sentence."""
    # A run shorter than a year is never annualised in words: three good weeks are not "180 % a year".
    yearly = facts.days >= YEAR_DAYS and facts.annual_return is not None
    own = facts.annual_return if yearly else facts.total_return
    held = facts.benchmark_annual if yearly else facts.benchmark_return
    if own is None:
        text = f"Ended with a {'profit' if facts.profit >= 0 else 'loss'} of {money(abs(facts.profit), facts.currency)}"
    else:
        text = _gain_or_loss(own) + (" a year" if yearly else f" in {_length(facts.days)}")
    if held is not None:
        against = percent(held) if own is not None and own >= 0 <= held else _gain_or_loss_of(held)
        text += f" against {against} for buying and holding"
    if facts.max_drawdown is not None:
        text += f", with a worst loss of {percent(-facts.max_drawdown)} from a peak"
    return f"{text}."


def _length(days: float) -> str:
    if days < 1:
        return "less than a day"
    return plural(round(days), "day")


def _stopped(facts: Facts) -> str:
    return f"The run stopped early, and the figures end there: {facts.stopped.rstrip('.')}." if facts.stopped else ""


def _against_holding(facts: Facts) -> str:
    own, held = facts.total_return, facts.benchmark_return
    ours, theirs = facts.max_drawdown, facts.benchmark_drawdown
    if own is None or held is None or ours is None or theirs is None:
        return ""
    loss = f"a worst loss of {percent(-ours)} against {percent(-theirs)}"
    if own < held:
        return f"It {'earned less' if own >= 0 else 'did worse'} than buying and holding, at {loss}."
    shallower = "with less risk by that measure" if ours > theirs else "but not with less risk"
    return f"It {'earned more' if own >= 0 else 'lost less'} than buying and holding, at {loss}: {shallower}."


def _sure(facts: Facts) -> str:
    few = facts.closed < RELIABLE_TRADES_MIN
    trades = plural(facts.closed, "closed trade")
    begin = f"{trades} {'is' if facts.closed == 1 else 'are'} few" if few else f"With {trades}"
    if facts.sharpe is None or facts.sharpe_low is None or facts.sharpe_high is None:
        return f"{begin}: too few to conclude anything from." if few else ""
    level = number(facts.sharpe_level * 100, 0)
    band = f"{level} % band runs from {ratio(facts.sharpe_low)} to {ratio(facts.sharpe_high)}"
    if facts.sharpe_low <= 0.0 <= facts.sharpe_high:
        end = "it includes zero, so luck alone could explain the result"
    else:
        end = "it excludes zero, for one test; every further variant that was tried makes that weaker"
    return f"{begin}{':' if few else ','} the Sharpe ratio of {ratio(facts.sharpe)} is uncertain, its {band}; {end}."


def _costs(facts: Facts) -> str:
    before = facts.profit + facts.costs
    if facts.costs <= 0:
        return "No trading costs were charged; a real account pays some."
    amount = money(facts.costs, facts.currency)
    if before <= 0:
        return f"Costs took {amount}; it lost before costs as well."
    if facts.profit < 0:
        return f"Costs of {amount} turned a profit of {money(before, facts.currency)} into a loss."
    return f"Costs took {amount}, {percent(facts.costs / before, 0)} of the profit before costs."


def _cost_multiples(facts: Facts) -> str:
    if facts.profit <= 0:
        return ""
    gone = [multiple for multiple, profit in sorted(facts.cost_profits) if multiple > 1 and profit <= 0]
    if not gone:
        return ""
    times = {2: "twice", 3: "three times"}.get(round(gone[0]), f"{gone[0]:g} times")
    return f"At {times} these costs the profit disappears."


def _bar_path(facts: Facts) -> str:
    if facts.path_profit is not None and (facts.path_profit > 0) != (facts.profit > 0):
        return (
            f"The sign of the result depends on the assumed path inside the bars: with the other path it is "
            f"{money(facts.path_profit, facts.currency)}."
        )
    if facts.path_share is not None and abs(facts.path_share) >= LARGE_SHARE:
        return f"{percent(abs(facts.path_share), 0)} of the P&L depends on the assumed path inside the bars."
    return ""


def _delay(facts: Facts) -> str:
    late = facts.delayed_profit
    if late is None or facts.profit <= 0 or late >= HALF * facts.profit:
        return ""
    if late <= 0:
        return "Acting one bar later turns the profit into a loss."
    return f"Acting one bar later costs {percent(1 - late / facts.profit, 0)} of the profit."


def _one_trade(facts: Facts) -> str:
    best = facts.best_trade
    if best is None or facts.profit <= 0 or facts.closed < 2 or best < HALF * facts.profit:
        return ""
    if best >= facts.profit:
        return "Without its best trade it would have made nothing."
    return f"Its best trade alone made {percent(best / facts.profit, 0)} of the profit."


def _unrealised(facts: Facts) -> str:
    if not facts.still_open or facts.profit == 0 or abs(facts.unrealised) < LARGE_SHARE * abs(facts.profit):
        return ""
    return (
        f"{money(facts.unrealised, facts.currency)} of the result is unrealised: "
        f"{plural(facts.still_open, 'position')} still open at the end, marked at the last price without exit costs."
    )
