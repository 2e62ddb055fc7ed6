"""The report of one run: the sections in the order a careful reader asks for them."""

from pathlib import Path

from lockstep._version import __version__
from lockstep.analytics.report import charts, robustness, tables, trade_charts, trade_tables
from lockstep.analytics.report.caveats import data_notes, not_modelled, warnings
from lockstep.analytics.report.charts import Chart
from lockstep.analytics.report.execution_tables import execution_panels
from lockstep.analytics.report.glossary import days_named, figure_groups, period_named
from lockstep.analytics.report.inputs import SCHEMA_VERSION, ReportInput, RunFolderLike
from lockstep.analytics.report.markup import EMPTY, Html, join, tag
from lockstep.analytics.report.measures import Measures, measure
from lockstep.analytics.report.profit_tables import profit_panels
from lockstep.analytics.report.shell import chart_panel, frame, no_script_note, plotly_version, write_whole
from lockstep.analytics.report.verdict import Verdict, facts_of, verdict
from lockstep.analytics.report.wording import DAY_NS, count, money, percent, plural, ratio, signed_money, signed_percent
from lockstep.store.runs import RunFolder

__all__ = ["render_report", "write_report"]

SECTIONS = (
    ("equity", "Equity"),
    ("prices", "Prices"),
    ("returns", "Returns"),
    ("profit", "Profit"),
    ("execution", "Execution"),
    ("costs", "Costs"),
    ("figures", "All figures"),
    ("trades", "Trades"),
    ("data", "Data"),
    ("reproduce", "Reproduce"),
)


def render_report(inputs: ReportInput) -> str:
    """The report of one run as one self-contained page; the same run gives the same bytes."""
    measures = measure(inputs)
    said = verdict(facts_of(inputs, measures))
    drawn = {
        chart.id: chart
        for chart in (
            charts.equity_chart(inputs, measures),
            charts.underwater_chart(measures),
            charts.exposure_chart(inputs, measures),
            trade_charts.price_chart(inputs),
            charts.rolling_chart(measures),
            charts.histogram_chart(measures),
            trade_charts.trade_chart(inputs),
        )
    }
    body = join(
        (
            _top(inputs, measures, said),
            _navigation(tuple(entry for entry in SECTIONS if _has(inputs, entry[0]))),
            tag("main", _opening(inputs, measures), *_sections(inputs, measures, drawn)),
            _foot(inputs),
        )
    )
    name = inputs.manifest.strategy.name
    title = f"{name} \N{MIDDLE DOT} {period_named(measures)}"
    csv = trade_tables.trades_csv(inputs) if inputs.rows("trades") else ""
    return frame(title, body, list(drawn.values()), daily=inputs.manifest.bar_ns >= DAY_NS, csv=csv)


def _has(inputs: ReportInput, section: str) -> bool:
    """Whether there is anything to say in a section that not every run has."""
    there = {"profit": bool(inputs.manifest.account), "execution": inputs.manifest.execution is not None}
    return there.get(section, True)


def write_report(folder: Path | RunFolderLike, target: Path) -> Path:
    """Render the run in `folder` and write it to `target`, whole or not at all; returns `target`.

    Raises: UsageError, DataError: the folder is not a whole run of this schema version. OSError: target not writable.
    """
    run = RunFolder.open(folder) if isinstance(folder, Path) else folder
    return write_whole(target, render_report(ReportInput.from_folder(run)))


def _top(inputs: ReportInput, measures: Measures, said: Verdict) -> Html:
    manifest = inputs.manifest
    symbols = [facts.symbol for facts in manifest.instruments]
    named = ", ".join(symbols[:8]) + (f" and {len(symbols) - 8} more" if len(symbols) > 8 else "")
    counts = manifest.counts
    seen = plural(counts.bars, "bar") if counts.bars or not counts.events else plural(counts.events, "event")
    facts = [named, period_named(measures), seen]
    limits = tag("ul", *(tag("li", text) for text in said.sentences)) if said.sentences else EMPTY
    return tag(
        "header",
        tag("h1", manifest.strategy.name),
        tag("p", " \N{MIDDLE DOT} ".join(fact for fact in facts if fact), class_="kicker"),
        tag("div", tag("p", said.headline, class_="line"), limits, class_="verdict", id="verdict"),
        class_="top",
    )


def _navigation(sections: tuple[tuple[str, str], ...]) -> Html:
    links = [tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name in sections]
    return tag("nav", tag("ul", *links), aria_label="Sections")


def _opening(inputs: ReportInput, measures: Measures) -> Html:
    notes = warnings(inputs, measures)
    shown = tag("ul", *(tag("li", text) for text in notes))
    box = tag(
        "aside",
        tag("h2", "\N{WARNING SIGN}\N{VARIATION SELECTOR-15} Before you trust this"),
        shown,
        class_="warnings",
        id="warnings",
    )
    return join((no_script_note(), box if notes else EMPTY, cards(inputs, measures)))


def cards(inputs: ReportInput, measures: Measures) -> Html:
    """The few figures that a reader looks for first, each with what it is to be held against."""
    s, manifest = measures.summary, inputs.manifest
    held, band, trades, currency = s.benchmark, s.sharpe_interval, s.trades, manifest.currency
    profit = float(manifest.final.equity) - (s.initial_equity or manifest.cash)
    yearly = measures.years >= 1.0 and s.annual_return is not None
    costs = float(manifest.final.fees) + float(manifest.final.slippage)
    found = (
        ("Profit", signed_money(profit, currency), f"on {money(s.initial_equity, currency)}", profit),
        (
            "Return a year" if yearly else "Return",
            signed_percent(s.annual_return if yearly else s.total_return),
            f"holding {signed_percent(measures.benchmark_annual if yearly else held.total_return)}" if held else "",
            s.total_return,
        ),
        (
            "Worst drawdown",
            signed_percent(s.max_drawdown),
            f"holding {signed_percent(held.max_drawdown)}" if held else "",
            None,
        ),
        (
            "Sharpe ratio",
            ratio(s.sharpe),
            f"{ratio(band.low)} to {ratio(band.high)} ({percent(band.level, 0)})" if band else "",
            None,
        ),
        ("Volatility", percent(s.volatility), f"holding {percent(held.volatility)}" if held else "a year", None),
        (
            "Closed trades",
            count(trades.closed if trades else 0),
            f"{percent(trades.win_rate, 0)} with a profit" if trades and trades.closed else "",
            None,
        ),
        ("Costs", money(costs, currency), "commission and slippage", None),
        (
            "In the market",
            percent(measures.turnover.time_in_market, 0),
            f"{percent(measures.turnover.average_gross, 0)} of equity on average",
            None,
        ),
    )
    return tag("div", *(_card(*entry) for entry in found), class_="cards", id="cards")


def _card(name: str, value: str, beside: str, sign: float | None) -> Html:
    tone = "" if not sign else (" up" if sign > 0 else " down")
    return tag(
        "div",
        tag("div", name, class_="name"),
        tag("div", value, class_=f"big{tone}"),
        tag("div", beside, class_="beside"),
        class_="card",
    )


def _section(anchor: str, title: str, *content: Html) -> Html:
    return tag("section", tag("h2", title), *content, id=anchor)


def _panel(title: str, caption: str | Html, content: Html) -> Html:
    words = tag("p", caption, class_="caption") if caption else EMPTY
    return tag("div", tag("h3", title), words, content, class_="panel pad")


def _sections(inputs: ReportInput, measures: Measures, drawn: dict[str, Chart]) -> list[Html]:
    plots = {name: chart_panel(chart) for name, chart in drawn.items()}
    months = "In per cent, from month end to month end; the first and the last month may be partial."
    return [
        _section("equity", "Equity and drawdown", plots["equity"], plots["underwater"], plots["exposure"]),
        _section("prices", "Prices and fills", plots["price"]),
        _section(
            "returns",
            "Returns",
            _panel("Month by month", months, tables.month_table(measures)),
            tag("div", plots["histogram"], plots["rolling"], class_="grid plots"),
        ),
        *_profit_section(inputs),
        *_execution_section(inputs),
        _costs_section(inputs),
        _section("figures", "All figures", _figures_panel(inputs, measures)),
        _trades_section(inputs, plots["trades"]),
        _data_section(inputs),
        _reproduce_section(inputs),
    ]


def _profit_section(inputs: ReportInput) -> list[Html]:
    panels = [_panel(*panel) for panel in profit_panels(inputs)]
    return [_section("profit", "Where the profit came from", *panels)] if panels else []


def _execution_section(inputs: ReportInput) -> list[Html]:
    panels = [_panel(*panel) for panel in execution_panels(inputs)]
    return [_section("execution", "Orders on the book", *panels)] if panels else []


def _figures_panel(inputs: ReportInput, measures: Measures) -> Html:
    basis = (
        f"Daily figures are made annual with {days_named(measures)}; days end at midnight in {measures.calendar.timezone}. "
        f"Risk-free rate {percent(measures.summary.risk_free)}. Point at a name for what it means."
    )
    groups = tables.metric_groups(figure_groups(inputs, measures))
    return join((tag("p", basis, class_="caption"), tag("div", groups, class_="groups", style="margin-top:1.25rem")))


def _costs_section(inputs: ReportInput) -> Html:
    if inputs.rows("fills") == 0:
        message = "Nothing was traded, so there are no costs and nothing that could depend on them."
        return _section("costs", "Costs and robustness", tag("p", message, class_="empty"))
    split = "What commission and slippage took from the profit. Slippage is measured against the bar's open or the stop's own price."
    panels = [_panel("Cost split", split, robustness.cost_bars(inputs))]
    panels += [_panel(title, caption, table) for title, caption, table in robustness.sensitivity_tables(inputs)]
    if inputs.manifest.sensitivity is None:
        text = tag("p", "Costs, delays and bar paths were not varied for this run.", class_="empty")
        panels.append(_panel("Sensitivity", "", text))
    left_out = tag("ul", *(tag("li", text) for text in not_modelled(inputs)), class_="plain")
    return _section(
        "costs",
        "Costs and robustness",
        tag("div", *panels, class_="grid"),
        _panel("What is not modelled", "", left_out),
    )


def _trades_section(inputs: ReportInput, plot: Html) -> Html:
    total = inputs.rows("trades")
    words = "From flat to flat, in order of entry. Press a heading to sort."
    if total > trade_tables.TRADE_ROWS_MAX:
        more = total - trade_tables.TRADE_ROWS_MAX
        words += f" The first {count(trade_tables.TRADE_ROWS_MAX)} are listed, {count(more)} more are not."
    caption: str | Html = ""
    if total:
        listed = "all" if total <= trade_tables.CSV_ROWS_MAX else f"the first {count(trade_tables.CSV_ROWS_MAX)}"
        link = tag("a", f"Download {listed} as CSV", href="#trades", download="trades.csv", data_csv="trades-csv")
        rest = "; trades.parquet in the run folder has every one." if total > trade_tables.CSV_ROWS_MAX else "."
        caption = join((words, " ", link, rest))
    content = [plot, _panel("Trades", caption, trade_tables.trade_table(inputs))]
    reasons, signals = trade_tables.order_reasons(inputs), trade_tables.signal_table(inputs)
    if reasons:
        content.append(_panel("Orders that came to nothing", "Refused, rejected or expired, by reason.", reasons))
    if signals:
        content.append(_panel("Signals", "What the strategy said and why, in order of time.", signals))
    return _section("trades", "Trades", *content)


def _data_section(inputs: ReportInput) -> Html:
    manifest = inputs.manifest
    words = "Times are UTC. A gap is a stretch without bars inside the hours in which the instrument trades."
    content = [_panel("Data used", words, tables.data_table(inputs))]
    if manifest.instruments:
        content.append(_panel("Instruments", "", tables.instrument_table(inputs)))
    notes = data_notes(inputs)
    if notes:
        content.append(_panel("Notes on the data", "", tag("ul", *(tag("li", note) for note in notes), class_="plain")))
    content.append(_panel("Parameters of the strategy", "", tables.facts_list(manifest.strategy.params)))
    content.append(_panel("Configuration of the run", "", tables.facts_list(manifest.config)))
    return _section("data", "Data and settings", *content)


def _reproduce_section(inputs: ReportInput) -> Html:
    manifest = inputs.manifest
    copy = tag("button", "Copy", type="button", data_copy="command")
    command = (
        tag("div", tag("code", manifest.command, id="command"), copy, class_="command") if manifest.command else EMPTY
    )
    facts = {
        "Run hash": manifest.run_hash,
        "Decision hash": manifest.decision_hash,
        "Strategy file": manifest.strategy.file,
        "Strategy source, SHA-256": manifest.strategy.source_sha256,
        "Result schema": SCHEMA_VERSION,
        "Report": f"Lockstep {__version__}, plotly.js {plotly_version()}",
    }
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", tag("code", str(value))))
        for name, value in facts.items()
        if value
    ]
    words = (
        "The run hash covers strategy, parameters, configuration, data, every command, every order event and the final "
        "ledger; the decision hash covers the last three alone. The same command on the same data gives both again."
    )
    table = tag("table", tag("tbody", *rows), class_="facts hashes", aria_label="Hashes and versions")
    return _section(
        "reproduce", "Reproduce this run", command, tag("p", words, class_="caption", style="margin-top:.75rem"), table
    )


def _foot(inputs: ReportInput) -> Html:
    words = (
        f"Run {inputs.manifest.run_hash[:12]}. Past results on recorded data; not advice. This file is complete in itself "
        "and makes no request to any network."
    )
    return tag("footer", words)
