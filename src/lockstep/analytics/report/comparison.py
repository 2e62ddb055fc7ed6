"""Several runs side by side: where they differ, how they went, and whether they may be compared at all."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lockstep.analytics.arrays import F64
from lockstep.analytics.report.charts import Chart, line, money_axis, thinned
from lockstep.analytics.report.glossary import Figure, days_named, figure_groups, period_named
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import EMPTY, Html, join, plot_text, tag
from lockstep.analytics.report.measures import Measures, measure
from lockstep.analytics.report.shell import chart_panel, frame, no_script_note
from lockstep.analytics.report.tables import flattened
from lockstep.analytics.report.verdict import facts_of, headline, nothing_happened
from lockstep.analytics.report.wording import DASH, DAY_NS, plural
from lockstep.model.errors import UsageError

__all__ = ["RUNS_MAX", "render_comparison"]

RUNS_MAX = 8
# Dash and colour change together, so that a line is told apart without its colour (Okabe and Ito's palette).
STYLES = (
    ("$run1", "solid"), ("$run2", "6px,3px"), ("$run3", "2px,2px"), ("$run4", "8px,3px,2px,3px"),
    ("$run5", "solid"), ("$run6", "6px,3px"), ("$run7", "2px,2px"), ("$run8", "8px,3px,2px,3px"),
)  # fmt: skip


def render_comparison(runs: Sequence[ReportInput]) -> str:
    """One page for two to eight runs; the same runs in the same order give the same bytes.

    Raises: UsageError: fewer than two runs, or more than fit side by side.
    """
    if not 2 <= len(runs) <= RUNS_MAX:
        raise UsageError(
            f"a comparison needs 2 to {RUNS_MAX} runs: was given {len(runs)}",
            hint="name them: lockstep report RUN_A RUN_B (lockstep runs lists them)",
        )
    names = names_of(runs)
    measured = [measure(run) for run in runs]
    charts = [_equity_overlay(runs, measured, names), _underwater_overlay(measured, names)]
    body = join((_top(runs, measured, names), tag("main", *_content(runs, measured, names, charts)), _foot(runs)))
    daily = min(run.manifest.bar_ns for run in runs) >= DAY_NS
    return frame(f"{plural(len(runs), 'run')} side by side", body, charts, daily=daily)


def names_of(runs: Sequence[ReportInput]) -> list[str]:
    """A letter, the strategy's name and the parameters that differ (the first three), so that no two read the same."""
    facts = [dict(flattened(run.manifest.strategy.params)) for run in runs]
    differing = [
        name for name in sorted({n for entry in facts for n in entry}) if len({entry.get(name) for entry in facts}) > 1
    ][:3]
    names = []
    for k, (run, entry) in enumerate(zip(runs, facts, strict=True)):
        settings = " ".join(f"{name}={entry[name]}" for name in differing if name in entry)
        names.append(f"{chr(65 + k)} {run.manifest.strategy.name} {settings}".rstrip())
    return names


def incomparable(runs: Sequence[ReportInput]) -> list[str]:
    """Why these runs measure different things, as sentences; empty when only the strategy or its settings differ."""
    found: list[str] = []
    data = [tuple(sorted((d.symbol, d.content_hash) for d in run.manifest.data)) for run in runs]
    symbols = [tuple(symbol for symbol, _ in entry) for entry in data]
    if len(set(symbols)) > 1:
        found.append("The runs trade different instruments: their figures are not like for like.")
    elif len(set(data)) > 1:
        found.append("The runs use different data for the same instruments (the content hashes differ).")
    spans = {(d.first_ns, d.last_ns) for run in runs for d in run.manifest.data[:1]}
    edges = {(int(t[0]), int(t[-1])) if (t := run.table("equity")["ts"]).size else (0, 0) for run in runs}
    if len(spans) > 1 or len(edges) > 1:
        found.append("The runs cover different periods: compare yearly figures at most, and with care.")
    if len({run.manifest.cash for run in runs}) > 1:
        found.append("The runs start with different capital: money amounts do not compare, returns do.")
    if len({run.manifest.currency for run in runs}) > 1:
        found.append("The runs keep their accounts in different currencies.")
    return found


def growth(measured: Measures) -> F64:
    """Equity in multiples of the capital at the start, so that runs of different size share an axis."""
    first = measured.summary.initial_equity or 1.0
    return measured.equity / first


def _equity_overlay(runs: Sequence[ReportInput], measured: Sequence[Measures], names: Sequence[str]) -> Chart:
    same_capital = len({run.manifest.cash for run in runs}) == 1 and len({run.manifest.currency for run in runs}) == 1
    values = [m.equity if same_capital else growth(m) for m in measured]
    axis = money_axis(runs[0].manifest.currency) if same_capital else {"tickformat": ".2f", "title": "of capital"}
    hover = "%{y:,.0f}" if same_capital else "%{y:.3f}"
    caption = "Of each account, after costs." if same_capital else "In multiples of each run's capital, after costs."
    return Chart(
        id="equity",
        title="Equity",
        caption=caption + thinned(max(len(v) for v in values)),
        views=[{"traces": _overlaid(measured, values, names, hover), "layout": {"yaxis": axis}}],
        log=all(bool(np.all(v > 0)) for v in values),
        empty="" if all(v.size > 1 for v in values) else "A run without an equity curve cannot be drawn.",
    )


def _underwater_overlay(measured: Sequence[Measures], names: Sequence[str]) -> Chart:
    values = [m.underwater for m in measured]
    return Chart(
        id="underwater",
        title="Below the peak",
        caption="How far each account was below its highest point." + thinned(max(len(v) for v in values)),
        views=[{"traces": _overlaid(measured, values, names, "%{y:.1%}"), "layout": {"yaxis": {"tickformat": ".0%"}}}],
        height="short",
        empty="" if all(v.size > 1 for v in values) else "A run without an equity curve cannot be drawn.",
    )


def _overlaid(
    measured: Sequence[Measures], values: Sequence[F64], names: Sequence[str], hover: str
) -> list[dict[str, Any]]:
    return [
        line(m.ts, v, name=plot_text(name), hovertemplate=hover, line={"color": colour, "width": 1.6, "dash": dash})
        for m, v, name, (colour, dash) in zip(measured, values, names, STYLES[: len(names)], strict=True)
    ]


def _top(runs: Sequence[ReportInput], measured: Sequence[Measures], names: Sequence[str]) -> Html:
    lines = []
    for run, m, name in zip(runs, measured, names, strict=True):
        facts = facts_of(run, m)
        said = nothing_happened(facts) if facts.fills == 0 else headline(facts)
        lines.append(tag("li", tag("strong", name), f": {said}"))
    return tag(
        "header",
        tag("p", " \N{MIDDLE DOT} ".join(sorted({period_named(m) for m in measured})), class_="kicker"),
        tag("div", tag("h1", f"{plural(len(runs), 'run')} side by side", class_="line"), tag("ul", *lines), class_="verdict", id="verdict"),
        class_="top",
    )  # fmt: skip


def _content(
    runs: Sequence[ReportInput], measured: Sequence[Measures], names: Sequence[str], charts: Sequence[Chart]
) -> list[Html]:
    notes = incomparable(runs)
    box = tag(
        "aside",
        tag("h2", "\N{WARNING SIGN}\N{VARIATION SELECTOR-15} Not like for like"),
        tag("ul", *(tag("li", text) for text in notes)),
        class_="warnings",
        id="warnings",
    )
    basis = "; ".join(sorted({days_named(m) for m in measured}))
    words = f"The best of each row carries a dot; where there is no better or worse, none does. {basis}."
    return [
        no_script_note(),
        box if notes else EMPTY,
        tag("section", tag("h2", "Equity and drawdown"), *(chart_panel(chart) for chart in charts), id="curves"),
        tag(
            "section",
            tag("h2", "Figures"),
            tag("div", tag("p", words, class_="caption"), figures_table(runs, measured, names), class_="panel pad"),
            id="figures",
        ),
        tag("section", tag("h2", "What differs"), tag("div", _differences_table(runs, names), class_="panel pad"), id="differences"),
    ]  # fmt: skip


def figures_table(runs: Sequence[ReportInput], measured: Sequence[Measures], names: Sequence[str]) -> Html:
    """Every figure of every run; the best of a row has a dot and a heavier face."""
    of_runs = [dict(figure_groups(run, m)) for run, m in zip(runs, measured, strict=True)]
    rows: list[Html] = []
    for group in of_runs[0]:
        columns = [{figure.label: figure for figure in groups[group]} for groups in of_runs]
        labels = [label for label in columns[0] if all(label in column for column in columns)]
        if labels:
            rows.append(tag("tr", tag("th", group, scope="rowgroup", colspan=len(runs) + 1, class_="grouphead")))
        rows += [_figure_row([column[label] for column in columns]) for label in labels]
    head = tag("tr", tag("th", "Figure", scope="col"), *(tag("th", name, scope="col", class_="num") for name in names))
    table = tag("table", tag("thead", head), tag("tbody", *rows), aria_label="Figures of each run", class_="compare")
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Figures of each run")


def _figure_row(figures: Sequence[Figure]) -> Html:
    best = best_of(figures)
    cells = [
        tag("td", tag("span", f.text, class_="best"), tag("span", " best", class_="sr"), class_="num")
        if k in best
        else tag("td", f.text, class_="num")
        for k, f in enumerate(figures)
    ]
    return tag("tr", tag("th", figures[0].label, scope="row", title=figures[0].explained), *cells)


def best_of(figures: Sequence[Figure]) -> set[int]:
    """Positions of the best value; none where the row has no better, a value is missing, or all read the same."""
    values = [f.value for f in figures]
    if not figures[0].better or len({f.text for f in figures}) == 1:
        return set()
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return set()
    target = max(known) if figures[0].better > 0 else min(known)
    return {k for k, value in enumerate(values) if value == target}


def differences(runs: Sequence[ReportInput]) -> list[tuple[str, list[str]]]:
    """Names and values of everything in the manifests that is not the same in all runs."""
    facts = [dict(flattened(_described(run))) for run in runs]
    names = sorted({name for entry in facts for name in entry})
    rows = [(name, [entry.get(name, DASH) for entry in facts]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _described(run: ReportInput) -> Mapping[str, Any]:
    manifest = run.manifest
    return {
        "strategy": {
            "name": manifest.strategy.name,
            "file": manifest.strategy.file,
            "source": manifest.strategy.source_sha256[:12],
        },
        "parameter": manifest.strategy.params,
        "config": manifest.config,
        "data": {
            d.symbol: {"source": d.source, "rows": d.rows, "hash": d.content_hash[:12], "adjustments": d.adjustments}
            for d in manifest.data
        },
        "fees": {i.symbol: i.fees for i in manifest.instruments},
        "hash": {"run": manifest.run_hash[:12], "decision": manifest.decision_hash[:12]},
    }


def _differences_table(runs: Sequence[ReportInput], names: Sequence[str]) -> Html:
    found = differences(runs)
    if not found:
        return tag("p", "Nothing: these are the same run.", class_="empty")
    rows = [
        tag("tr", tag("th", name, scope="row"), *(tag("td", value, class_="wrap" if len(value) > 32 else None) for value in values))
        for name, values in found
    ]  # fmt: skip
    head = tag("tr", tag("th", "Setting", scope="col"), *(tag("th", name, scope="col") for name in names))
    table = tag("table", tag("thead", head), tag("tbody", *rows), aria_label="What differs")
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="What differs")


def _foot(runs: Sequence[ReportInput]) -> Html:
    hashes = ", ".join(run.manifest.run_hash[:12] for run in runs)
    return tag(
        "footer",
        f"Runs {hashes}. Past results on recorded data; not advice. This file makes no request to any network.",
    )
