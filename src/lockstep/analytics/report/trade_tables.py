"""The tables of what was done: trades, signals, and the orders that came to nothing."""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import EMPTY, Html, join, tag
from lockstep.analytics.report.tables import plain_table
from lockstep.analytics.report.wording import (
    DASH,
    count,
    date_or_minute,
    money,
    number,
    plural,
    ratio,
    signed_money,
    signed_percent,
    span,
)

__all__ = ["CSV_ROWS_MAX", "TRADE_ROWS_MAX", "order_reasons", "signal_table", "trade_table", "trades_csv"]

TRADE_ROWS_MAX = 500
CSV_ROWS_MAX = 4_000
SIGNAL_ROWS_MAX = 200
REASONS_MAX = 12
PRINTED_ROWS = 40  # the style sheet hides the rest on paper


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
    body = [tag("tr", *_trade_cells(table, row, currency, bar_ns)) for row in rows]
    shown = tag("table", tag("thead", head), tag("tbody", *body), class_="sortable", aria_label="Trades")
    frame = tag("div", shown, class_="scroll tall", tabindex="0", role="region", aria_label="Trades")
    if len(rows) <= PRINTED_ROWS:
        return frame
    return join(
        (frame, tag("p", f"On paper: the first {PRINTED_ROWS} in the order chosen.", class_="caption on-paper"))
    )


def _trade_cells(table: Mapping[str, Any], row: int, currency: str, bar_ns: int) -> list[Html]:
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
        writer.writerow([_csv_cell(column, table[column][row]) for column in columns])
    return out.getvalue()


def _csv_cell(column: str, value: Any) -> str:
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


def signal_table(run: ReportInput) -> Html:
    """The first signals with their reasons; nothing at all where a strategy sends none."""
    table, total, bar_ns = run.table("signals"), run.rows("signals"), run.manifest.bar_ns
    if total == 0:
        return EMPTY
    rows = [
        (
            date_or_minute(int(table["ts"][k]), bar_ns), str(table["symbol"][k]), str(table["action"][k]),
            str(table["reasoning"][k]), ratio(float(table["confidence"][k])),
            _price_or_dash(table["target_price"][k]), _price_or_dash(table["stop_price"][k]),
        )
        for k in range(min(total, SIGNAL_ROWS_MAX))
    ]  # fmt: skip
    heads = ("Time", "Symbol", "Action", "Reason", "Confidence", "Target", "Stop")
    more = f"The first {count(SIGNAL_ROWS_MAX)} of {count(total)}; signals.parquet of the run has all of them."
    note = tag("p", more, class_="caption") if total > SIGNAL_ROWS_MAX else EMPTY
    return join((plain_table(heads, rows, "Signals", text_columns=4), note))


def _price_or_dash(value: Any) -> str:
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
