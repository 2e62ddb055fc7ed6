"""The frame around every page: style, scripts, security policy, and the file written whole or not at all.

The page loads nothing: its policy forbids every request, and allows exactly the two scripts in it, by their hashes.
"""

import base64
import hashlib
import os
import re
from functools import cache
from importlib import resources
from pathlib import Path

from plotly.offline import get_plotlyjs

from lockstep._version import __version__
from lockstep.analytics.report.charts import Chart
from lockstep.analytics.report.markup import EMPTY, Html, join, raw, script_json, tag

__all__ = ["chart_panel", "frame", "plotly_version", "write_whole"]


@cache
def part(name: str) -> str:
    """One of the files beside this module."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def plotly_script() -> str:
    """plotly.js as the installed package carries it."""
    return str(get_plotlyjs()).replace("\r\n", "\n")


@cache
def plotly_version() -> str:
    """The version in the first lines of plotly.js, such as "3.1.0"."""
    found = re.search(r"plotly\.js v([0-9.]+)", plotly_script()[:500])
    return found.group(1) if found else "unknown"


def _digest(script: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"


def frame(title: str, body: Html, charts: list[Chart], *, daily: bool, csv: str = "") -> str:
    """The whole page as text; the same arguments give the same bytes.

    Args: daily: whether times in chart labels are dates alone; csv: a table to download, "" for none.
    """
    plotly, script = plotly_script(), part("report.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digest(plotly)} {_digest(script)}",
            "style-src 'unsafe-inline'",  # Plotly sets styles on the elements it draws
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    attachments = tag("script", script_json(csv), type="application/json", id="trades-csv") if csv else EMPTY
    slots = {
        "policy": policy,
        "generator": f"Lockstep {__version__}",
        "title": join([title]),
        "style": part("style.css"),
        "body": body,
        "data": script_json(chart_data(charts, daily=daily)),
        "attachments": attachments,
        "plotly": plotly,
        "script": script,
    }
    # One pass over the template: what is put in is never searched for further slots.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: slots[found.group(1)], part("page.html"))


def chart_data(charts: list[Chart], *, daily: bool) -> dict[str, object]:
    """The charts with each column of numbers written once, however many lines share it."""
    columns: dict[str, list[object]] = {}
    names: dict[tuple[object, ...], str] = {}

    def shared(trace: dict[str, object]) -> dict[str, object]:
        out = dict(trace)
        for axis in ("x", "y"):
            values = out.get(axis)
            if isinstance(values, list):
                name = names.setdefault(tuple(values), f"c{len(names)}")
                columns[name] = values
                out[axis] = name
        return out

    drawn = [
        {
            "id": chart.id,
            "hover": "%Y-%m-%d" if daily else "%Y-%m-%d %H:%M",
            "views": [{**view, "traces": [shared(trace) for trace in view["traces"]]} for view in chart.views],
        }
        for chart in charts
        if not chart.empty
    ]
    return {"charts": drawn, "columns": columns}


def chart_panel(chart: Chart) -> Html:
    """The figure around a chart: title, caption, controls, the place to draw in or the reason why there is none."""
    if chart.empty:
        return tag(
            "figure",
            tag("h3", chart.title),
            tag("p", chart.empty, class_="empty"),
            class_="panel",
            id=f"chart-{chart.id}",
        )
    controls: list[Html] = []
    if len(chart.views) > 1:
        options = [tag("option", view["name"], value=k) for k, view in enumerate(chart.views)]
        controls.append(tag("select", *options, data_view=chart.id, aria_label="Instrument", autocomplete="off"))
    if chart.log:
        controls.append(tag("button", "Log scale", type="button", data_log=chart.id, aria_pressed="false"))
    note = (
        tag("p", chart.views[0]["note"], class_="caption", id=f"note-{chart.id}") if "note" in chart.views[0] else EMPTY
    )
    words = tag("div", tag("h3", chart.title), tag("figcaption", chart.caption, class_="caption"), note)
    head = tag("div", words, tag("div", *controls) if controls else EMPTY, class_="head")
    label = f"{chart.title}. {chart.caption}"
    plot = tag("div", id=f"plot-{chart.id}", class_=f"plot {chart.height}", role="img", aria_label=label)
    return tag("figure", head, plot, class_="panel", id=f"chart-{chart.id}")


def write_whole(target: Path, text: str) -> Path:
    """Write the file beside its place and move it there: a reader never sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part_file = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part_file.write_text(text, encoding="utf-8", newline="\n")
        part_file.replace(target)
    finally:
        part_file.unlink(missing_ok=True)
    return target


def no_script_note() -> Html:
    """Shown where scripts are off: the figures stay readable, the charts need them."""
    return raw(
        "<noscript><p class='empty'>The charts need JavaScript; the figures and tables below do not.</p></noscript>"
    )
