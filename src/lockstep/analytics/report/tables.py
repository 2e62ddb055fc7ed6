"""The tables of the page: trades, months, costs, sensitivity, data, parameters, instruments, signals."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lockstep.analytics.report.glossary import Figure
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import EMPTY, Html, join, tag
from lockstep.analytics.report.measures import Measures
from lockstep.analytics.report.wording import (
    DASH,
    count,
    date_or_minute,
    money,
    number,
    percent,
    plural,
    ratio,
    signed_money,
    signed_percent,
    span,
)

__all__ = [
    "CSV_ROWS_MAX",
    "TRADE_ROWS_MAX",
    "cost_bars",
    "data_table",
    "facts_table",
    "instrument_table",
    "metric_groups",
    "month_table",
    "order_reasons",
    "sensitivity_tables",
    "signal_table",
    "trade_table",
    "trades_csv",
]

TRADE_ROWS_MAX = 500
CSV_ROWS_MAX = 4_000
SIGNAL_ROWS_MAX = 200
REASONS_MAX = 12
PRINTED_ROWS = 40  # the style sheet hides the rest on paper
WRAP_FROM = 32  # characters; shorter texts stay on one line
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Cell = tuple[str, str | float | None]  # what is shown, and what the column is sorted by


def plain_table(
    heads: Sequence[str], rows: Iterable[Sequence[str | Html]], label: str, *, text_columns: int = 1
) -> Html:
    """A table in a frame that scrolls sideways on its own; the first `text_columns` columns are texts."""

    def kind(k: int) -> str | None:
        return None if k < text_columns else "num"

    def cell(k: int, content: str | Html) -> Html:
        long = k < text_columns and not isinstance(content, Html) and len(content) > WRAP_FROM
        return tag("td", content, class_="wrap" if long else kind(k))

    head = tag("tr", *(tag("th", head, scope="col", class_=kind(k)) for k, head in enumerate(heads)))
    body = [tag("tr", *(cell(k, content) for k, content in enumerate(row))) for row in rows]
    table = tag("table", tag("thead", head), tag("tbody", *body), aria_label=label)
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def metric_groups(groups: Sequence[tuple[str, Sequence[Figure]]]) -> Html:
    """Groups of figures; the explanation opens on hover, focus or tap, and is printed in full."""
    return join(
        tag("section", tag("h3", name), metric_list(figures), class_="group") for name, figures in groups if figures
    )


def metric_list(figures: Sequence[Figure]) -> Html:
    rows = [
        tag(
            "div",
            tag("dt", tag("span", f.label, class_="term", tabindex="0"), tag("span", f.explained, class_="tip", role="note")),
            tag("dd", f.text),
        )
        for f in figures
    ]  # fmt: skip
    return tag("dl", *rows, class_="metrics")


def month_table(measures: Measures) -> Html:
    """Year by month, each cell with its sign and number; the shade repeats what the number says."""
    monthly = measures.summary.monthly
    if not monthly.years:
        return tag("p", "No month has a return yet.", class_="empty")
    known = sorted(abs(v) for row in monthly.table for v in row if v is not None)
    # The 95th percentile of all months is the darkest shade, so that one wild month does not pale the others.
    scale = known[min(len(known) - 1, int(0.95 * len(known)))] or 1.0
    rows = [
        tag(
            "tr",
            tag("th", str(year), scope="row"),
            *(month_cell(value, scale) for value in row),
            tag("td", signed_percent(total), class_="num total"),
        )
        for year, row, total in zip(monthly.years, monthly.table, monthly.totals, strict=True)
    ]
    heads = [tag("th", text, scope="col", class_="num") for text in (*MONTHS, "Year")]
    table = tag(
        "table",
        tag("thead", tag("tr", tag("th", tag("span", "Year", class_="sr"), scope="col"), *heads)),
        tag("tbody", *rows),
        class_="months",
        aria_label="Monthly returns in per cent",
    )
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Monthly returns")


def month_cell(value: float | None, scale: float) -> Html:
    if value is None:
        return tag("td", tag("span", "no data", class_="sr"))
    side = "up" if value >= 0 else "down"
    shade = min(abs(value) / scale, 1.0)
    text = number(value * 100, 1)
    return tag("td", f"+{text}" if value > 0.0005 else text, class_=f"num {side}", style=f"--shade:{shade:.2f}")


def trade_table(run: ReportInput) -> Html:
    """The first trades in order of entry; every column sorts."""
    table, currency, bar_ns = run.table("trades"), run.manifest.currency, run.manifest.bar_ns
    total = run.rows("trades")
    if total == 0:
        return tag("p", "No trade was made.", class_="empty")
    rows = np.argsort(table["entry_ts"].astype(np.int64), kind="stable")[:TRADE_ROWS_MAX].tolist()
    heads = (
        "Entry",
        "Exit",
        "Symbol",
        "Side",
        "Quantity",
        "Entry price",
        "Exit price",
        "Costs",
        "Profit",
        "Return",
        "Held",
    )
    texts = {0, 1, 2, 3}
    head = tag(
        "tr",
        *(
            tag("th", tag("button", name, type="button"), scope="col", aria_sort="ascending" if k == 0 else "none",
                class_=None if k in texts else "num")
            for k, name in enumerate(heads)
        ),
    )  # fmt: skip
    body = [tag("tr", *trade_cells(table, row, currency, bar_ns)) for row in rows]
    shown = tag("table", tag("thead", head), tag("tbody", *body), class_="sortable", aria_label="Trades")
    frame = tag("div", shown, class_="scroll tall", tabindex="0", role="region", aria_label="Trades")
    if len(rows) <= PRINTED_ROWS:
        return frame
    return join(
        (frame, tag("p", f"On paper: the first {PRINTED_ROWS} in the order chosen.", class_="caption on-paper"))
    )


def trade_cells(table: Mapping[str, Any], row: int, currency: str, bar_ns: int) -> list[Html]:
    def at(column: str) -> float:
        return float(table[column][row])

    def num(text: str, value: float, class_: str = "num") -> Html:
        return tag("td", text, class_=class_, data_sort=f"{value:.10g}" if np.isfinite(value) else "")

    is_open = bool(table["open"][row])
    entry, leave = int(table["entry_ts"][row]), int(table["exit_ts"][row])
    gain = "num up" if at("net_pnl") >= 0 else "num down"
    return [
        tag("td", date_or_minute(entry, bar_ns), class_="when", data_sort=str(entry)),
        tag("td", "open" if is_open else date_or_minute(leave, bar_ns), class_="when", data_sort=str(leave)),
        tag("td", str(table["symbol"][row])),
        tag("td", "long" if at("side") > 0 else "short"),
        num(number(at("qty"), 8).rstrip("0").rstrip("."), at("qty")),
        num(f"{at('entry_price'):,.8g}", at("entry_price")),
        num(DASH if is_open else f"{at('exit_price'):,.8g}", at("exit_price")),
        num(money(at("fees"), currency), at("fees")),
        num(signed_money(at("net_pnl"), currency), at("net_pnl"), gain),
        num(signed_percent(at("return_pct") / 100), at("return_pct"), gain),
        num(span(at("holding_ns")), at("holding_ns")),
    ]


def trades_csv(run: ReportInput) -> str:
    """The first `CSV_ROWS_MAX` trades as CSV, times in ISO 8601 UTC.

    A text that a spreadsheet would read as a formula gets an apostrophe in front (OWASP "CSV Injection").
    """
    table = run.table("trades")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = [
        "entry_ts", "exit_ts", "symbol", "strategy", "side", "qty", "entry_price", "exit_price",
        "gross_pnl", "fees", "net_pnl", "return_pct", "holding_ns", "open",
    ]  # fmt: skip
    writer.writerow(columns)
    for row in range(min(run.rows("trades"), CSV_ROWS_MAX)):
        writer.writerow([csv_cell(column, table[column][row]) for column in columns])
    return out.getvalue()


def csv_cell(column: str, value: Any) -> str:
    if column in {"entry_ts", "exit_ts"}:
        return f"{np.datetime64(int(value), 'ns')}Z" if int(value) else ""
    if column in {"symbol", "strategy"}:
        text = str(value)
        return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
    if column == "open":
        return "true" if bool(value) else "false"
    if column in {"side", "holding_ns"}:
        return str(int(value))
    return "" if np.isnan(float(value)) else repr(float(value))


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
        lines = [
            (f"{r.multiple:g} \N{MULTIPLICATION SIGN}" + (" (this run)" if r.multiple == 1 else ""), float(r.final_equity),
             r.total_return, r.sharpe, r.trades) for r in extra.costs
        ]  # fmt: skip
        text = "The same run with commission and slippage multiplied."
        found.append(("If costs were different", text, outcome_table("Costs", lines, currency, cash)))
    if extra.latency:
        lines = [(r.label, float(r.final_equity), r.total_return, r.sharpe, r.trades) for r in extra.latency]
        text = "The same run with orders reaching the market later."
        found.append(("If orders arrived later", text, outcome_table("Delay", lines, currency, cash)))
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
            ("If prices moved the other way inside the bars", text, outcome_table("Path", lines, currency, cash))
        )
    return found


def outcome_table(
    head: str,
    lines: Sequence[tuple[str, float, float, float | None, int | None]],
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


def data_table(run: ReportInput) -> Html:
    """What data was used, row by row, with the hash that pins it."""
    bar_ns = run.manifest.bar_ns
    rows = [
        (
            d.symbol, d.source, count(d.rows), span(d.bar_ns) if d.bar_ns else DASH,
            date_or_minute(d.first_ns, bar_ns), date_or_minute(d.last_ns, bar_ns),
            count(d.gaps), span(d.longest_gap_ns) if d.longest_gap_ns else "none",
            f"{d.splits} / {d.dividends}", d.adjustments,
            tag("code", d.content_hash[:12], title=d.content_hash),
        )
        for d in run.manifest.data
    ]  # fmt: skip
    if not rows:
        return tag("p", "The run names no data.", class_="empty")
    heads = ("Symbol", "Source", "Rows", "Bar", "First", "Last", "Gaps", "Longest gap", "Splits / dividends",
             "Adjustments", "Hash")  # fmt: skip
    return plain_table(heads, rows, "Data used", text_columns=2)


def instrument_table(run: ReportInput) -> Html:
    """What was traded and by which rules."""
    rows = [
        (
            i.symbol, i.venue or DASH, i.asset_class or DASH, i.currency or DASH, i.session or DASH, i.fees or "none",
            str(i.price_decimals), str(i.qty_decimals), str(i.periods_per_year),
        )
        for i in run.manifest.instruments
    ]  # fmt: skip
    if not rows:
        return EMPTY
    heads = (
        "Symbol",
        "Venue",
        "Class",
        "Currency",
        "Session",
        "Fees",
        "Price decimals",
        "Quantity decimals",
        "Days a year",
    )
    return plain_table(heads, rows, "Instruments", text_columns=6)


def facts_table(facts: Mapping[str, Any], label: str) -> Html:
    """Names and values of a configuration, nested names joined by a dot."""
    pairs = list(flattened(facts))
    if not pairs:
        return tag("p", "None.", class_="empty")
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in pairs]
    return tag("table", tag("tbody", *rows), class_="facts", aria_label=label)


def flattened(facts: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name in sorted(facts):
        value = facts[name]
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", shown(value)


def shown(value: Any) -> str:
    if value is None:
        return DASH
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def signal_table(run: ReportInput) -> Html:
    """The first signals with their reasons; nothing at all where a strategy sends none."""
    table, total, bar_ns = run.table("signals"), run.rows("signals"), run.manifest.bar_ns
    if total == 0:
        return EMPTY
    rows = [
        (
            date_or_minute(int(table["ts"][k]), bar_ns), str(table["symbol"][k]), str(table["action"][k]),
            str(table["reasoning"][k]), ratio(float(table["confidence"][k])),
            price_or_dash(table["target_price"][k]), price_or_dash(table["stop_price"][k]),
        )
        for k in range(min(total, SIGNAL_ROWS_MAX))
    ]  # fmt: skip
    heads = ("Time", "Symbol", "Action", "Reason", "Confidence", "Target", "Stop")
    more = f"The first {count(SIGNAL_ROWS_MAX)} of {count(total)}; signals.parquet of the run has all of them."
    note = tag("p", more, class_="caption") if total > SIGNAL_ROWS_MAX else EMPTY
    return join((plain_table(heads, rows, "Signals", text_columns=4), note))


def price_or_dash(value: Any) -> str:
    return DASH if np.isnan(float(value)) else f"{float(value):,.8g}"


def order_reasons(run: ReportInput) -> Html:
    """Why orders were refused or ended without a fill, most frequent first; empty where all went well."""
    table = run.table("orders")
    ends = {"deny", "reject", "expire", "denied", "rejected", "expired"}
    found = Counter(
        (str(record), str(reason) or "no reason given")
        for record, reason in zip(table["record"].tolist(), table["reason"].tolist(), strict=True)
        if str(record) in ends
    )
    if not found:
        return EMPTY
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    rows = [(record, reason, count(n)) for (record, reason), n in ranked[:REASONS_MAX]]
    more = len(ranked) - REASONS_MAX
    note = tag("p", f"And {plural(more, 'other reason')}.", class_="caption") if more > 0 else EMPTY
    return join((plain_table(("Outcome", "Reason", "Orders"), rows, "Refused orders", text_columns=2), note))
