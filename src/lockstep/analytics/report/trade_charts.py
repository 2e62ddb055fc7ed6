"""The charts of what was done: prices with our fills, and profit against holding time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.analytics.arrays import F64
from lockstep.analytics.report.charts import Chart, line, millis, money_axis, numbers, whole
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import plot_text
from lockstep.analytics.report.thinning import keep_spread
from lockstep.analytics.report.wording import DAY_NS, date_or_minute, money, number, plural, signed_percent

__all__ = ["price_chart", "trade_chart"]

MARKS_MAX = 2_000


def price_chart(run: ReportInput) -> Chart:
    """Raw prices of one instrument at a time, with its fills, and its splits as lines."""
    prices = run.table("prices")
    symbols = sorted({str(s) for s in prices["symbol"].tolist()})
    traded = [str(s) for s in run.table("fills")["symbol"].tolist()]
    symbols.sort(key=lambda s: (-traded.count(s), s))
    return Chart(
        id="price",
        title="Price and fills",
        caption="Raw closing prices as traded, not adjusted; triangles are our fills at the price they got.",
        views=[_price_view(run, symbol) for symbol in symbols],
        empty="" if symbols else "The run recorded no prices to draw.",
    )


def _price_view(run: ReportInput, symbol: str) -> dict[str, Any]:
    prices, bar_ns = run.table("prices"), run.manifest.bar_ns
    of_symbol = prices["symbol"] == symbol
    ts, close = prices["ts"][of_symbol].astype(np.int64), prices["close"][of_symbol].astype(np.float64)
    traces = [line(ts, close, name="close", line={"color": "$ink", "width": 1.2}, hovertemplate="%{y:,.6~g}")]
    fills, fills_shown = run.table("fills"), 0
    mine = np.flatnonzero(fills["symbol"] == symbol)
    shown = mine[keep_spread(len(mine), MARKS_MAX)]
    for side, name, mark, colour in ((1, "bought", "triangle-up", "$gain"), (-1, "sold", "triangle-down", "$loss")):
        rows = shown[fills["side"][shown].astype(np.int64) == side]
        fills_shown += len(rows)
        if not len(rows):
            continue
        hover = [
            f"{name} {number(q, 8).rstrip('0').rstrip('.')} at {p:,.8g}<br>{date_or_minute(int(t), bar_ns)}"
            for t, q, p in zip(fills["ts"][rows], fills["qty"][rows], fills["price"][rows], strict=True)
        ]
        traces.append(
            {"type": "scatter", "mode": "markers", "x": millis(fills["ts"][rows]), "y": numbers(fills["price"][rows]),
             "name": name, "text": hover, "hovertemplate": "%{text}<extra></extra>",
             "marker": {"symbol": mark, "size": 9, "color": colour, "line": {"width": 1, "color": "$paper"}}}
        )  # fmt: skip
    note = f"{symbol}: {plural(len(close), 'bar')}, {plural(len(mine), 'fill')}"
    if fills_shown < len(mine):
        note += f" ({fills_shown:,} drawn)"
    shapes, notes = split_marks(run, symbol)
    currency = next((f.currency for f in run.manifest.instruments if f.symbol == symbol), run.manifest.currency)
    axis = {**money_axis(currency), "tickformat": ",.6~g"}
    return {
        "name": symbol,
        "note": note,
        "traces": traces,
        "layout": {"xaxis": whole(ts), "yaxis": axis, "shapes": shapes, "annotations": notes, "hovermode": "closest"},
    }


def split_marks(run: ReportInput, symbol: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A dotted line and a label for each split: raw prices jump there, and the account does not."""
    actions, shapes, notes = run.table("actions"), list[dict[str, Any]](), list[dict[str, Any]]()
    rows = np.flatnonzero((actions["symbol"] == symbol) & (actions["kind"] == "split"))
    for row in rows.tolist():
        at = int(actions["ts"][row]) // 1_000_000
        ratio = f"{int(actions['ratio_num'][row])}:{int(actions['ratio_den'][row])}"
        shapes.append({"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper",
                       "line": {"color": "$muted", "width": 1, "dash": "dot"}})  # fmt: skip
        notes.append({"x": at, "y": 1, "yref": "paper", "text": f"split {ratio}", "showarrow": False,
                      "xanchor": "left", "yanchor": "top", "xshift": 4})  # fmt: skip
    return shapes, notes


def trade_chart(run: ReportInput) -> Chart:
    """Profit of each closed trade against how long it was held."""
    table = run.table("trades")
    closed = np.flatnonzero(~table["open"].astype(np.bool_))
    rows = closed[keep_spread(len(closed), MARKS_MAX)]
    holding = table["holding_ns"][rows].astype(np.float64)
    unit, unit_ns = _holding_unit(holding)
    profit = table["return_pct"][rows].astype(np.float64) / 100.0
    bar_ns, currency = run.manifest.bar_ns, run.manifest.currency
    traces = []
    for side, name, mark in ((1, "long", "circle"), (-1, "short", "diamond")):
        chosen = np.flatnonzero(table["side"][rows].astype(np.int64) == side)
        if not len(chosen):
            continue
        hover = [_trade_hover(table, int(row), bar_ns, currency) for row in rows[chosen]]
        colours = ["$gain" if p >= 0 else "$loss" for p in profit[chosen].tolist()]
        traces.append(
            {"type": "scatter", "mode": "markers", "x": numbers(holding[chosen] / unit_ns),
             "y": numbers(profit[chosen]), "name": name, "text": hover, "hovertemplate": "%{text}<extra></extra>",
             "marker": {"symbol": mark, "size": 8, "opacity": 0.75, "color": colours}}
        )  # fmt: skip
    dropped = "" if len(rows) == len(closed) else f" {len(rows):,} of {len(closed):,} drawn, evenly spread."
    axis = {"type": "linear", "title": f"{unit} held", "rangemode": "tozero", "showspikes": False}
    return Chart(
        id="trades",
        title="Profit against holding time",
        caption=f"One mark for each of {plural(len(closed), 'closed trade')}, after costs.{dropped}",
        views=[
            {
                "traces": traces,
                "layout": {"xaxis": axis, "yaxis": {"tickformat": ".0%", "zeroline": True}, "hovermode": "closest"},
            }
        ],
        height="short",
        empty="" if len(closed) else "No trade was closed, so there is no holding time to show.",
    )


def _holding_unit(holding_ns: F64) -> tuple[str, float]:
    typical = float(np.median(holding_ns)) if holding_ns.size else 0.0
    for unit, unit_ns in (("days", DAY_NS), ("hours", DAY_NS / 24), ("minutes", DAY_NS / 1_440)):
        if typical >= 2 * unit_ns:
            return unit, float(unit_ns)
    return "seconds", DAY_NS / 86_400


def _trade_hover(table: dict[str, NDArray[Any]], row: int, bar_ns: int, currency: str) -> str:
    return (
        f"{plot_text(str(table['symbol'][row]))} {signed_percent(float(table['return_pct'][row]) / 100)}, "
        f"{money(float(table['net_pnl'][row]), currency)}<br>"
        f"{date_or_minute(int(table['entry_ts'][row]), bar_ns)} to {date_or_minute(int(table['exit_ts'][row]), bar_ns)}"
    )
