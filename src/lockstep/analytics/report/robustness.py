"""What costs took, and what would have become of the run had costs, delays or the path inside the bars been others."""

from collections.abc import Sequence

import numpy as np

from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import EMPTY, Html, tag
from lockstep.analytics.report.wording import count, percent, ratio, signed_money, signed_percent

__all__ = ["cost_bars", "sensitivity_tables"]

Line = tuple[str, float, float, float | None, int | None]  # label, final equity, total return, Sharpe ratio, trades


def cost_bars(run: ReportInput) -> Html:
    """From profit before costs to profit after, one bar a step."""
    final, currency = run.manifest.final, run.manifest.currency
    fees, slippage = float(final.fees), float(final.slippage)
    net = float(final.equity) - run.manifest.cash
    gross = net + fees + slippage
    steps = (
        ("Before costs", gross, 0.0, gross, "base"),
        ("Commission", -fees, gross - fees, gross, "cost"),
        ("Slippage", -slippage, net, gross - fees, "cost"),
        ("After costs", net, 0.0, net, "base"),
    )
    left = min(0.0, gross, net, gross - fees)
    width = max(0.0, gross, net, gross - fees) - left or 1.0
    rows = []
    for name, value, start, end, kind in steps:
        share = f"{percent(abs(value) / gross)} of gross" if kind == "cost" and gross > 0 else ""
        place = f"--from:{(min(start, end) - left) / width:.4f};--part:{abs(end - start) / width:.4f}"
        bar = tag("span", class_=f"bar {kind}{' down' if value < 0 else ''}", style=place) if value else EMPTY
        cells = (
            tag("td", name),
            tag("td", bar, class_="track"),
            tag("td", signed_money(value, currency), class_="num"),
        )
        rows.append(tag("tr", *cells, tag("td", share, class_="num quiet")))
    return tag("table", tag("tbody", *rows), class_="bars", aria_label="Profit before and after costs")


def sensitivity_tables(run: ReportInput) -> list[tuple[str, str, Html]]:
    """(title, caption, table) for costs, latency and the path inside the bars, where they were computed."""
    extra, currency, cash = run.manifest.sensitivity, run.manifest.currency, run.manifest.cash
    if extra is None:
        return []
    found: list[tuple[str, str, Html]] = []
    if extra.costs:
        lines: list[Line] = [
            (f"{r.multiple:g} \N{MULTIPLICATION SIGN}" + (" (this run)" if r.multiple == 1 else ""), float(r.final_equity),
             r.total_return, r.sharpe, r.trades) for r in extra.costs
        ]  # fmt: skip
        text = "The same run with commission and slippage multiplied."
        found.append(("If costs were different", text, _outcome_table("Costs", lines, currency, cash)))
    if extra.latency:
        lines = [
            (r.label if r.latency_ns else "none", float(r.final_equity), r.total_return, r.sharpe, r.trades)
            for r in extra.latency
        ]
        text = "The same run with orders reaching the market later."
        found.append(("If orders arrived later", text, _outcome_table("Delay", lines, currency, cash)))
    if extra.bar_path:
        path, final = extra.bar_path, float(run.manifest.final.equity)
        lines = [
            (f"{path.chosen} (this run)", final, final / cash - 1 if cash else np.nan, None, None),
            (path.other, float(path.final_equity_other),
             float(path.final_equity_other) / cash - 1 if cash else np.nan, None, None),
        ]  # fmt: skip
        share = (
            f"{percent(path.share_of_pnl, 0)} of the P&L depends on it."
            if path.share_of_pnl is not None
            else "Its share of the P&L is not defined."
        )
        text = f"A bar does not say whether its high or its low came first. {share}"
        found.append(
            ("If prices moved the other way inside the bars", text, _outcome_table("Path", lines, currency, cash))
        )
    return found


def _outcome_table(
    head: str,
    lines: Sequence[Line],
    currency: str,
    cash: float,
) -> Html:
    widest = max((abs(line[2]) for line in lines if np.isfinite(line[2])), default=0.0) or 1.0
    with_trades = any(line[4] is not None for line in lines)
    rows = []
    for name, final, total, sharpe, trades in lines:
        part = abs(total) / widest if np.isfinite(total) else 0.0
        bar = tag("span", class_=f"bar base {'down' if total < 0 else 'up'}", style=f"--part:{part:.4f}")
        cells = [
            tag("th", name, scope="row"),
            tag("td", bar, class_="track"),
            tag("td", signed_percent(total), class_="num"),
            tag("td", signed_money(final - cash, currency), class_="num"),
        ]
        if with_trades:
            cells += [tag("td", ratio(sharpe), class_="num"), tag("td", count(trades or 0), class_="num")]
        rows.append(tag("tr", *cells))
    heads = ["Return", "Profit", *(["Sharpe", "Trades"] if with_trades else [])]
    top = tag(
        "tr",
        tag("th", head, scope="col"),
        tag("th", tag("span", "bar", class_="sr"), scope="col", class_="track"),
        *(tag("th", text, scope="col", class_="num") for text in heads),
    )
    table = tag("table", tag("thead", top), tag("tbody", *rows), class_="bars", aria_label=head)
    return tag("div", table, class_="scroll")
