"""The tables of the page that describe a run: figures, months, data, instruments, settings."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lockstep.analytics.report.glossary import Figure
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import EMPTY, Html, join, tag
from lockstep.analytics.report.measures import Measures
from lockstep.analytics.report.wording import (
    DASH,
    DAY_NS,
    count,
    date_or_minute,
    number,
    signed_percent,
    span,
)

__all__ = ["data_table", "facts_list", "flattened", "instrument_table", "metric_groups", "month_table", "plain_table"]

MOMENT_FROM_NS = 10**17
WRAP_FROM = 32  # characters; shorter texts stay on one line
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
        tag("section", tag("h3", name), _metric_list(figures), class_="group") for name, figures in groups if figures
    )


def _metric_list(figures: Sequence[Figure]) -> Html:
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
            *(_month_cell(value, scale) for value in row),
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


def _month_cell(value: float | None, scale: float) -> Html:
    if value is None:
        return tag("td", tag("span", "no data", class_="sr"))
    side = "up" if value >= 0 else "down"
    shade = min(abs(value) / scale, 1.0)
    text = number(value * 100, 1)
    return tag("td", f"+{text}" if value > 0.0005 else text, class_=f"num {side}", style=f"--shade:{shade:.2f}")


def data_table(run: ReportInput) -> Html:
    """What data was used, row by row, with the hash that pins it."""
    bar_ns = run.manifest.bar_ns
    daily = bar_ns >= DAY_NS
    rows = [
        (
            d.symbol, d.source, count(d.rows), span(d.bar_ns) if d.bar_ns else DASH,
            date_or_minute(d.first_ns, bar_ns), date_or_minute(d.last_ns - 1, bar_ns) if daily else date_or_minute(d.last_ns, bar_ns),
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


def facts_list(facts: Mapping[str, Any]) -> Html:
    """Names and values of a configuration, nested names joined by a dot, in as many columns as fit."""
    pairs = list(flattened(facts))
    if not pairs:
        return tag("p", "None.", class_="empty")
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs]
    return tag("dl", *rows, class_="metrics settings")


def flattened(facts: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """(name, value) pairs of a nested configuration, sorted, names joined by dots, values as text."""
    for name in sorted(facts):
        value = facts[name]
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(name, value)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return DASH
    if name.endswith("_ns") and isinstance(value, int) and not isinstance(value, bool):
        # A setting in nanoseconds is a length, or a moment when it lies beyond 1973 (a length of three years).
        return span(value) if value < MOMENT_FROM_NS else date_or_minute(value, 0)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
