"""The charts as small records: what to draw, in words for the caption, without a pixel of layout.

Colours are names that the style sheet defines for light and dark ("$gain"); a column is written once and referred to
as "@name". `report.js` turns a record into a Plotly figure in our own template.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.analytics.arrays import F64, I64
from lockstep.analytics.drawdown import underwater
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import plot_text
from lockstep.analytics.report.measures import ROLLING_WINDOWS, Measures
from lockstep.analytics.report.thinning import POINTS_MAX, keep_extremes
from lockstep.analytics.report.wording import (
    DAY_NS,
    SIGNS,
    date,
    money,
    percent,
    plural,
    signed_percent,
    span,
)

__all__ = [
    "Chart",
    "equity_chart",
    "exposure_chart",
    "histogram_chart",
    "rolling_chart",
    "underwater_chart",
]

DIGITS = 7  # significant digits of a drawn value: finer than a pixel of any screen
Trace = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart. views: name of the view (an instrument) -> traces and layout; a chart without choice has one view.

    empty: what to say instead of axes where there is nothing to draw.
    """

    id: str
    title: str
    caption: str
    views: list[dict[str, Any]] = field(default_factory=list)
    log: bool = False
    height: str = "tall"
    empty: str = ""


def money_axis(currency: str) -> dict[str, Any]:
    """A value axis of money: the sign of the currency before each tick, or its code beside the axis."""
    sign = SIGNS.get(currency, "")
    return {"tickprefix": sign, "tickformat": "~s", "title": "" if sign else plot_text(currency)}


def numbers(values: NDArray[Any]) -> list[float | None]:
    """Rounded to `DIGITS` significant digits; NaN becomes null."""
    return [None if not np.isfinite(v) else float(f"{v:.{DIGITS}g}") for v in values.tolist()]


def millis(ts: NDArray[Any]) -> list[int]:
    """Nanoseconds to the whole milliseconds that Plotly reads as dates."""
    return [int(t) for t in (ts.astype(np.int64) // 1_000_000).tolist()]


def line(ts: I64, values: F64, **style: Any) -> Trace:
    """A line over time, thinned to its extremes."""
    keep = keep_extremes(values)
    return {"type": "scatter", "mode": "lines", "x": millis(ts[keep]), "y": numbers(values[keep]), **style}


def whole(ts: I64) -> dict[str, Any]:
    """The time axis from first to last moment, with a hundredth of it as air for marks at the ends."""
    if ts.size < 2:
        return {}
    first, last = int(ts[0]) // 1_000_000, int(ts[-1]) // 1_000_000
    air = (last - first) // 100
    return {"range": [first - air, last + air]}


def thinned(n: int) -> str:
    """What a caption says where a line has fewer points than the data; empty where it has all."""
    if n <= POINTS_MAX:
        return ""
    return f" Drawn with {POINTS_MAX:,} of {n:,} points, every extreme among them."


def equity_chart(run: ReportInput, measures: Measures) -> Chart:
    """Equity, the part below its peak shaded, and buy and hold beside it."""
    currency = run.manifest.currency
    keep = keep_extremes(measures.equity)
    x = millis(measures.ts[keep])
    value = SIGNS.get(currency, "") + "%{y:,.0f}"
    traces: list[Trace] = [
        {"type": "scatter", "mode": "lines", "x": x, "y": numbers(measures.peak[keep]), "line": {"width": 0},
         "hoverinfo": "skip", "showlegend": False},
        {"type": "scatter", "mode": "lines", "x": x, "y": numbers(measures.equity[keep]), "line": {"width": 0},
         "fill": "tonexty", "fillcolor": "$loss/0.22", "hoverinfo": "skip", "name": "below its peak"},
    ]  # fmt: skip
    if measures.benchmark is not None:
        traces.append(
            line(measures.ts, measures.benchmark, name="buy and hold", hovertemplate=value,
                 line={"color": "$muted", "width": 1.4, "dash": "4px,3px"})
        )  # fmt: skip
    traces.append(
        {"type": "scatter", "mode": "lines", "x": x, "y": numbers(measures.equity[keep]), "name": "strategy",
         "hovertemplate": value, "line": {"color": "$accent", "width": 2}}
    )  # fmt: skip
    summary = measures.summary
    caption = (
        f"From {money(summary.initial_equity, currency)} to {money(summary.final_equity, currency)}, "
        f"marked at every bar, after commission and slippage." + thinned(len(measures.equity))
    )
    loggable = bool(np.all(measures.equity > 0)) and (
        measures.benchmark is None or bool(np.all(measures.benchmark > 0))
    )
    return Chart(
        id="equity",
        title="Equity",
        caption=caption,
        views=[{"traces": traces, "layout": {"yaxis": money_axis(currency), "hovermode": "x unified"}}],
        log=loggable,
        empty="" if measures.equity.size > 1 else "The run has no equity curve: fewer than two moments were recorded.",
    )


def underwater_chart(measures: Measures) -> Chart:
    """How far below its highest point the account was, beside buy and hold."""
    depth = measures.underwater
    traces = [
        line(measures.ts, depth, name="strategy", fill="tozeroy", fillcolor="$loss/0.22",
             line={"color": "$loss", "width": 1.4}, hovertemplate="%{y:.1%}")
    ]  # fmt: skip
    if measures.benchmark is not None:
        held = underwater(measures.benchmark)
        traces.append(
            line(measures.ts, held, name="buy and hold", hovertemplate="%{y:.1%}",
                 line={"color": "$muted", "width": 1.1, "dash": "4px,3px"})
        )  # fmt: skip
    caption = "It never fell below its starting point or a later peak."
    if measures.summary.drawdowns:
        worst = measures.summary.drawdowns[0]
        after = (
            f"won back {span(worst.recovery_ns)} later"
            if worst.recovery_ns is not None
            else "not won back by the end of the data"
        )
        caption = f"The worst fall was {percent(-worst.depth)} from {date(worst.peak_ts - 1)} to {date(worst.trough_ts - 1)}, {after}."
    return Chart(
        id="underwater",
        title="Below the peak",
        caption=caption + thinned(len(depth)),
        views=[{"traces": traces, "layout": {"yaxis": {"tickformat": ".0%"}, "hovermode": "x unified"}}],
        height="short",
        empty="" if depth.size > 1 else "No equity curve, so no drawdown.",
    )


def exposure_chart(run: ReportInput, measures: Measures) -> Chart:
    """How much of the account was at work."""
    gross = run.table("equity")["gross_exposure"].astype(np.float64)
    share = np.divide(gross, measures.equity, out=np.full(gross.shape, np.nan), where=measures.equity > 0)
    in_market = measures.turnover.time_in_market
    caption = (
        f"Value of all positions over equity. In the market {percent(in_market, 0)} of the time, "
        f"{percent(measures.turnover.average_gross, 0)} of equity on average."
    )
    trace = line(measures.ts, share, name="invested", fill="tozeroy", fillcolor="$accent/0.16",
                 line={"color": "$accent", "width": 1.1}, hovertemplate="%{y:.0%}")  # fmt: skip
    return Chart(
        id="exposure",
        title="Exposure",
        caption=caption + thinned(len(share)),
        views=[{"traces": [trace], "layout": {"yaxis": {"tickformat": ".0%", "rangemode": "tozero"}}}],
        height="short",
        empty="" if share.size > 1 and np.nanmax(gross, initial=0.0) > 0 else "No position was ever held.",
    )


def rolling_chart(measures: Measures) -> Chart:
    """The Sharpe ratio of the last window of days, day by day."""
    window, values = measures.rolling_window, measures.rolling
    known = np.isfinite(values)
    trace = line(measures.day[known] * DAY_NS, values[known], name="Sharpe", hovertemplate="%{y:.2f}",
                 line={"color": "$accent", "width": 1.5}) if window else {}  # fmt: skip
    above = float(np.mean(values[known] > 0)) if known.any() else None
    caption = f"Of the last {window} days, annualised. Above zero {percent(above, 0)} of the time."
    empty = "" if known.sum() > 1 else "The account did not move enough for a Sharpe ratio."
    if not window:
        empty = (
            f"Too short a run: {plural(len(measures.returns), 'daily return')}, {2 * ROLLING_WINDOWS[-1]} are needed."
        )
    return Chart(
        id="rolling",
        title="Rolling Sharpe ratio",
        caption=caption,
        views=[{"traces": [trace], "layout": {"yaxis": {"tickformat": ".1f", "zeroline": True}}}],
        height="short",
        empty=empty,
    )


def histogram_chart(measures: Measures) -> Chart:
    """How often each size of daily return came."""
    histogram, summary = measures.summary.histogram, measures.summary
    edges, counts = np.array(histogram.edges), histogram.counts
    middle = (edges[1:] + edges[:-1]) / 2 if edges.size else edges
    # The bin that holds zero is neither: it counts the days out of the market.
    colours = [
        "$gain" if low > 0 else "$loss" if high < 0 else "$muted"
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    hover = [
        f"{signed_percent(a, 2)} to {signed_percent(b, 2)}<br>{plural(n, 'day')}"
        for a, b, n in zip(edges[:-1].tolist(), edges[1:].tolist(), counts, strict=True)
    ]
    trace = {"type": "bar", "x": numbers(middle), "y": list(counts), "marker": {"color": colours}, "text": hover,
             "width": [float(w) for w in np.diff(edges).tolist()],
             "textposition": "none", "hovertemplate": "%{text}<extra></extra>", "showlegend": False}  # fmt: skip
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    if summary.var_95 is not None:
        shapes.append({"type": "line", "x0": summary.var_95, "x1": summary.var_95, "y0": 0, "y1": 1, "yref": "paper",
                       "line": {"color": "$ink", "width": 1, "dash": "dot"}})  # fmt: skip
        notes.append({"x": summary.var_95, "y": 1, "yref": "paper", "text": "worst 5 %", "showarrow": False,
                      "xanchor": "right", "yanchor": "top", "xshift": -5})  # fmt: skip
    caption = (
        f"{plural(len(measures.returns), 'day')}. Best {signed_percent(summary.best_day)}, "
        f"worst {signed_percent(summary.worst_day)}; one day in twenty was worse than {signed_percent(summary.var_95)}."
    )
    moved = bool(np.any(measures.returns != 0))
    return Chart(
        id="histogram",
        title="Daily returns",
        caption=caption,
        views=[{"traces": [trace], "layout": {"xaxis": {"type": "linear", "tickformat": ".0%"}, "shapes": shapes,
                "annotations": notes, "yaxis": {"title": "days"}, "bargap": 0.06, "hovermode": "closest"}}],
        height="short",
        empty="" if moved else "The account never changed from one day to the next.",
    )  # fmt: skip
