"""The metrics table: which figures, in which groups, and one plain sentence that explains each."""

from collections.abc import Callable
from dataclasses import dataclass

from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.measures import Measures
from lockstep.analytics.report.wording import (
    DASH,
    count,
    date,
    money,
    percent,
    ratio,
    signed_money,
    signed_percent,
    span,
)

__all__ = ["Figure", "days_named", "figure_groups"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the metrics table.

    value: what `text` shows; None is a dash. better: +1 larger is better, -1 smaller is better, 0 neither; it decides
    what a comparison highlights.
    """

    label: str
    value: float | None
    text: str
    explained: str
    better: int = 0


def _figure(
    label: str, value: float | None, read: Callable[[float | None], str], explained: str, better: int = 0
) -> Figure:
    return Figure(label, value, read(value), explained, better)


def days_named(measures: Measures) -> str:
    """Such as "252 trading days a year, from the XNYS calendar": the convention that every annual figure rests on."""
    calendar = measures.calendar
    kind = "days" if calendar.always_open else "trading days"
    return f"{calendar.periods_per_year} {kind} a year, from the {calendar.name} calendar"


def figure_groups(run: ReportInput, measures: Measures) -> list[tuple[str, list[Figure]]]:
    """Every group of figures in the order of the page."""
    return [
        ("Return", _returns(run, measures)),
        ("Risk", _risk(measures)),
        ("Return for the risk", _ratios(measures)),
        ("Against buying and holding", _against(measures)),
        ("Trades", _trades(run, measures)),
        ("Activity and costs", _activity(run, measures)),
    ]


def _returns(run: ReportInput, measures: Measures) -> list[Figure]:
    s, currency = measures.summary, run.manifest.currency
    profit = None if s.final_equity is None or s.initial_equity is None else s.final_equity - s.initial_equity
    months = [value for row in s.monthly.table for value in row if value is not None]
    won = sum(value > 0 for value in months) / len(months) if months else None
    return [
        _figure("Final equity", s.final_equity, lambda v: money(v, currency), "Cash and positions at the last price.", 1),
        _figure("Profit", profit, lambda v: signed_money(v, currency), "Final equity less the capital at the start.", 1),
        _figure("Total return", s.total_return, signed_percent, "Final equity over starting capital, less one.", 1),
        _figure("Annualised return", s.annual_return, signed_percent,
               "The constant yearly return that gives the same total, by calendar time (365 days).", 1),
        _figure("CAGR by trading days", s.cagr, signed_percent,
               f"The same, counted in trading days: {days_named(measures)}.", 1),
        _figure("Best day", s.best_day, signed_percent, "The largest daily return."),
        _figure("Worst day", s.worst_day, signed_percent, "The lowest daily return.", 1),
        _figure("Months with a gain", won, lambda v: percent(v, 0), "Share of calendar months that ended higher.", 1),
    ]  # fmt: skip


def _risk(measures: Measures) -> list[Figure]:
    s = measures.summary
    recovery = s.drawdowns[0].recovery_ns if s.drawdowns else None
    return [
        _figure("Volatility", s.volatility, percent, "Standard deviation of daily returns, annualised.", -1),
        _figure("Maximum drawdown", s.max_drawdown, signed_percent, "The deepest fall from a peak, at every bar.", 1),
        _figure("Maximum drawdown, daily", s.max_drawdown_daily, signed_percent, "The same over daily closes only.", 1),
        _figure("Longest drawdown", s.longest_drawdown_ns, lambda v: span(v) if v else "none",
               "The longest time from a peak until it was reached again, or to the end of the data.", -1),
        _figure("Recovery of the deepest", recovery, lambda v: "not recovered" if v is None and s.drawdowns
               else ("none needed" if v is None else span(v)), "Time from the lowest point back to the old peak.", -1),
        _figure("Value at risk, 95 %", s.var_95, signed_percent, "One day in twenty lost at least this much.", 1),
        _figure("Expected shortfall, 95 %", s.cvar_95, signed_percent, "The mean of those worst days (CVaR).", 1),
        _figure("Skewness", s.skewness, ratio, "Below zero: large losses are more common than large gains."),
        _figure("Excess kurtosis", s.excess_kurtosis, ratio, "Above zero: extreme days are more common than normal."),
    ]  # fmt: skip


def _ratios(measures: Measures) -> list[Figure]:
    s = measures.summary
    found = [
        _figure("Sharpe ratio", s.sharpe, ratio, "Mean over standard deviation of daily returns, annualised.", 1),
    ]
    if s.sharpe_interval:
        band = s.sharpe_interval
        found.append(
            Figure(f"Sharpe ratio, {band.level:.0%} band".replace("%", " %"), None, f"{ratio(band.low)} to {ratio(band.high)}",
                   f"Where the ratio may lie: {count(band.resamples)} resamples of the returns in blocks (seeded).")
        )  # fmt: skip
    return [
        *found,
        _figure("Sortino ratio", s.sortino, ratio, "Like Sharpe, but only falls count as risk.", 1),
        _figure("Calmar ratio", s.calmar, ratio, "Annualised return over the maximum drawdown.", 1),
        _figure("Tail ratio", s.tail_ratio, ratio, "The best days over the worst days (95th and 5th percentile).", 1),
    ]


def _against(measures: Measures) -> list[Figure]:
    b = measures.summary.benchmark
    if b is None:
        return []
    return [
        _figure("Buy and hold, total return", b.total_return, signed_percent,
               "Equal money in each instrument at its first open, one entry fee, then held."),
        _figure("Buy and hold, annualised", measures.benchmark_annual, signed_percent, "The same, a year."),
        _figure("Buy and hold, worst drawdown", b.max_drawdown, signed_percent, "Its deepest fall from a peak."),
        _figure("Buy and hold, Sharpe ratio", b.sharpe, ratio, "Its Sharpe ratio over the same days."),
        _figure("Excess return", b.excess_return, signed_percent, "Our total return less that of buying and holding.", 1),
        _figure("Information ratio", b.information_ratio, ratio, "Mean daily excess over its deviation, annualised.", 1),
        _figure("Beta", b.beta, ratio, "How much we moved when buy and hold moved by one."),
        _figure("Alpha", b.alpha, signed_percent, "Return a year that beta does not explain (Jensen).", 1),
        _figure("Correlation", b.correlation, ratio, "Of our daily returns with those of buying and holding."),
        _figure("Tracking error", b.tracking_error, percent, "Deviation of the daily difference, annualised."),
    ]  # fmt: skip


def _trades(run: ReportInput, measures: Measures) -> list[Figure]:
    t, currency = measures.summary.trades, run.manifest.currency
    if t is None:
        return []

    def cash(value: float | None) -> str:
        return signed_money(value, currency)

    def held(value: float | None) -> str:
        return span(value) if value is not None else DASH

    return [
        _figure("Closed trades", t.closed, lambda v: count(v or 0), "From flat to flat, per instrument and strategy."),
        _figure("Still open", t.still_open, lambda v: count(v or 0), "Positions at the end, not in the trade figures."),
        _figure(
            "Win rate", t.win_rate, lambda v: percent(v, 0), "Share of closed trades with a profit after costs.", 1
        ),
        _figure("Average win", t.average_win, cash, "Mean net profit of the winning trades.", 1),
        _figure("Average loss", t.average_loss, cash, "Mean net loss of the losing trades.", 1),
        _figure("Largest win", t.largest_win, cash, "The best single trade."),
        _figure("Largest loss", t.largest_loss, cash, "The worst single trade.", 1),
        _figure("Profit factor", t.profit_factor, ratio, "All wins over all losses; above one is a profit.", 1),
        _figure("Payoff ratio", t.payoff_ratio, ratio, "Average win over average loss.", 1),
        _figure("Expectancy", t.expectancy, cash, "Mean net profit of a closed trade.", 1),
        _figure("Average holding time", t.average_holding_ns, held, "Mean time from first entry to last exit."),
        _figure("Median holding time", t.median_holding_ns, held, "Half of the trades were held shorter."),
    ]


def _activity(run: ReportInput, measures: Measures) -> list[Figure]:
    final, turnover, currency = run.manifest.final, measures.turnover, run.manifest.currency

    def times(value: float | None) -> str:
        return f"{ratio(value)} \N{MULTIPLICATION SIGN}" if value is not None else ratio(None)

    return [
        _figure("Commission", float(final.fees), lambda v: money(v, currency), "Fees paid to venue and broker.", -1),
        _figure("Slippage", float(final.slippage), lambda v: money(v, currency),
               "Lost against the open or the stop price that a taking fill started from; already inside the fill prices.", -1),
        _figure("Dividends received", float(final.dividends), lambda v: money(v, currency), "Paid into the account."),
        _figure("Turnover", turnover.multiple, times, "Bought plus sold, in multiples of mean equity."),
        _figure("Turnover a year", turnover.annual, times, "The same per 365 days."),
        _figure("Time in the market", turnover.time_in_market, lambda v: percent(v, 0), "Share of bars with a position."),
        _figure("Average exposure", turnover.average_gross, lambda v: percent(v, 0), "Mean position value over equity."),
    ]  # fmt: skip


def period_named(measures: Measures) -> str:
    """First and last day of the run, and its length."""
    if measures.ts.size == 0:
        return "no data"
    # A bar that ends at midnight belongs to the day that it closes.
    return f"{date(int(measures.ts[0]) - 1)} to {date(int(measures.ts[-1]) - 1)}"
