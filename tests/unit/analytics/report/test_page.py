import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.page import render_report, write_report
from lockstep.model.errors import DataError

RunMaker = Callable[..., tuple[dict[str, Any], dict[str, dict[str, Any]]]]
SECTIONS = (
    "equity",
    "prices",
    "returns",
    "costs",
    "figures",
    "trades",
    "data",
    "reproduce",
    "warnings",
    "cards",
    "verdict",
)
CHARTS = ("equity", "underwater", "exposure", "price", "rolling", "histogram", "trades")
HOSTILE = "</script><img src=x onerror=alert(1)>\u2028'\"&{{data}}%{y}"


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and the text of each script and of everything else."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in {"script", "style"} else ""
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif not self._inside:
            self.text += data

    @property
    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _, attrs in self.tags if "id" in attrs]

    def json(self, name: str) -> Any:
        return json.loads(next(text for attrs, text in self.scripts if attrs.get("id") == name))


class Folder:
    def __init__(self, manifest: dict[str, Any], tables: dict[str, dict[str, Any]]) -> None:
        self.manifest, self.tables = manifest, tables

    def table(self, name: str) -> dict[str, Any]:
        return self.tables.get(name, {})


def rendered(make_run: RunMaker, **settings: Any) -> Page:
    return Page(render_report(ReportInput.from_tables(*make_run(**settings))))


def test_page_of_a_run_has_every_section_and_chart(run_input: ReportInput) -> None:
    page = Page(render_report(run_input))
    assert set(SECTIONS) <= set(page.ids)
    assert {f"plot-{name}" for name in CHARTS} <= set(page.ids)
    assert [chart["id"] for chart in page.json("report-data")["charts"]] == list(CHARTS)
    assert len(page.ids) == len(set(page.ids))


EXECUTION = {
    "queue": {"IBM": "pessimistic", "MSFT": "exact"},
    "recovery_ns": 500_000_000,
    "silence_max_ns": 0,
    "messages": {"orders": 20, "replaces": 9, "cancels": 1},
    "order_to_trade": 7.5,
    "fill_rates": [
        {
            "distance": "at best",
            "placements": 8,
            "touched": 2,
            "share": 0.125,
            "ahead_filled": 3.5,
            "ahead_unfilled": None,
        },
        {
            "distance": "1 tick",
            "placements": 0,
            "touched": 0,
            "share": None,
            "ahead_filled": None,
            "ahead_unfilled": None,
        },
    ],
    "mark_outs": [
        {
            "symbol": "IBM",
            "liquidity": "maker",
            "horizon_s": 1,
            "fills": 4,
            "price": -0.5,
            "ticks": -50.0,
            "money": -20.0,
        },
        {
            "symbol": "MSFT",
            "liquidity": "taker",
            "horizon_s": 5,
            "fills": 0,
            "price": None,
            "ticks": None,
            "money": None,
        },
    ],
}
LATENCY = {"name": "remote", "text": "entry 200ms", "why": "nothing was said", "feed": {"IBM": "as recorded"}}


def test_page_of_a_run_on_books_says_how_its_orders_fared(make_run: RunMaker) -> None:
    manifest, tables = make_run()
    html = render_report(ReportInput.from_tables(manifest | {"execution": EXECUTION, "latency": LATENCY}, tables))
    page = Page(html)
    assert "execution" in page.ids
    section = html[html.index('id="execution"') : html.index('id="costs"')]
    text = re.sub(r"<[^>]+>", " ", section)
    for said in (
        "IBM pessimistic; MSFT exact", "500 ms half-life", "remote: entry 200ms", "nothing was said", "as recorded",
        "7.5 messages a fill (20 orders, 9 replaces, 1 cancels)", "at best  8  25.0", "12.5", "3.500", "IBM, maker",
        "\N{MINUS SIGN}50.00", "\N{MINUS SIGN}$20",
    ):  # fmt: skip
        assert said in text, said
    assert "execution" in {str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"}


def test_page_of_a_run_on_bars_has_no_section_about_books(run_input: ReportInput) -> None:
    page = Page(render_report(run_input))
    assert "execution" not in page.ids
    assert "execution" not in {str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"}


def test_page_links_only_to_sections_that_exist(run_input: ReportInput) -> None:
    page = Page(render_report(run_input))
    targets = {str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"}
    assert targets <= set(page.ids)


def test_page_loads_nothing_from_anywhere(run_input: ReportInput) -> None:
    page = Page(render_report(run_input))
    loading = [
        (tag, attrs) for tag, attrs in page.tags if "src" in attrs or (tag == "link" and attrs["href"] != "data:,")
    ]
    assert loading == []
    html = render_report(run_input).replace(get_plotlyjs(), "")
    assert re.findall(r"https?://|@import|url\(", html) == []


def test_policy_allows_exactly_the_scripts_of_the_page(run_input: ReportInput) -> None:
    page = Page(render_report(run_input))
    policy = next(
        str(attrs["content"]) for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    running = [text for attrs, text in page.scripts if "type" not in attrs]
    hashes = ["'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in running]
    assert re.search(r"script-src ([^;]*)", policy).group(1).split() == hashes  # type: ignore[union-attr]


def test_hostile_names_are_shown_and_never_run(make_run: RunMaker) -> None:
    manifest, tables = make_run(name=HOSTILE)
    manifest["command"] = HOSTILE
    manifest["warnings"] = [HOSTILE]
    manifest["config"]["currency"] = HOSTILE
    for entry in (*manifest["instruments"], *manifest["data"]):
        entry["symbol"] = HOSTILE
    for table in ("fills", "trades", "prices"):
        tables[table]["symbol"] = np.array([HOSTILE] * len(tables[table]["symbol"]), dtype=object)
    text = render_report(ReportInput.from_tables(manifest, tables))
    page = Page(text)
    assert not any(tag == "img" or any(name.startswith("on") for name in attrs) for tag, attrs in page.tags)
    assert len(page.scripts) == 4
    assert HOSTILE in page.text
    assert "<img src=x" not in text.replace(get_plotlyjs(), "")
    assert page.json("report-data")["charts"][3]["views"][0]["name"] == HOSTILE
    assert "\u2028" not in next(text for attrs, text in page.scripts if attrs.get("id") == "report-data")


def test_same_run_gives_the_same_bytes_in_another_process(make_run: RunMaker, tmp_path: Path) -> None:
    manifest, tables = make_run()
    plain = {name: {c: v.tolist() for c, v in table.items()} for name, table in tables.items()}
    (tmp_path / "run.json").write_text(json.dumps([manifest, plain]))
    program = (
        "import json, sys, hashlib, numpy as np\n"
        "from lockstep.analytics.report.inputs import ReportInput\n"
        "from lockstep.analytics.report.page import render_report\n"
        "m, t = json.load(open(sys.argv[1]))\n"
        "t = {n: {c: np.array(v, dtype=object if v and isinstance(v[0], str) else None) for c, v in x.items()}"
        " for n, x in t.items()}\n"
        "print(hashlib.sha256(render_report(ReportInput.from_tables(m, t)).encode()).hexdigest())\n"
    )
    ours = hashlib.sha256(render_report(ReportInput.from_tables(manifest, tables)).encode()).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    other = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run.json")],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert other.stdout.strip() == ours


def test_thirteen_years_of_three_symbols_stay_below_a_megabyte_over_plotly(make_run: RunMaker) -> None:
    manifest, tables = make_run(rows=3_270, symbols=("AAPL", "IBM", "MSFT"), fast=20, slow=50)
    text = render_report(ReportInput.from_tables(manifest, tables))
    assert len(text.encode()) - len(get_plotlyjs().encode()) < 1_000_000
    drawn = Page(text).json("report-data")
    assert max(len(column) for column in drawn["columns"].values()) <= 2_000
    assert "2,000 of 3,270 points" in Page(text).text


def test_splits_are_marked_on_the_price_of_their_symbol_alone(make_run: RunMaker) -> None:
    drawn = rendered(make_run, rows=3_270, symbols=("AAPL", "IBM", "MSFT")).json("report-data")
    views = {view["name"]: view for chart in drawn["charts"] if chart["id"] == "price" for view in chart["views"]}
    assert {name: len(view["layout"]["shapes"]) for name, view in views.items()} == {"AAPL": 2, "IBM": 0, "MSFT": 1}
    assert views["MSFT"]["layout"]["annotations"][0]["text"] == "split 2:1"


def test_run_without_orders_says_so_in_place_of_axes(make_run: RunMaker) -> None:
    page = rendered(make_run, slow=200)
    assert "The strategy sent no order, so there is no result to judge." in page.text
    assert "Nothing was traded, so there are no costs" in page.text
    assert [chart["id"] for chart in page.json("report-data")["charts"]] == ["equity", "underwater", "price"]
    assert not {"plot-exposure", "plot-trades", "plot-histogram"} & set(page.ids)
    assert "trades-csv" not in page.ids


def test_run_with_one_trade_is_reported_as_few(make_run: RunMaker) -> None:
    manifest, tables = make_run()
    closed = np.flatnonzero(~tables["trades"]["open"].astype(bool))[:1]
    tables["trades"] = {name: column[closed] for name, column in tables["trades"].items()}
    page = Page(render_report(ReportInput.from_tables(manifest, tables)))
    assert "1 closed trade is few" in page.text
    assert "One mark for each of 1 closed trade," in page.text


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_shortest_curves_still_make_a_page(make_run: RunMaker, rows: int) -> None:
    manifest, tables = make_run(rows=13)
    for name in ("equity", "benchmark"):
        tables[name] = {column: values[:rows] for column, values in tables[name].items()}
    page = Page(render_report(ReportInput.from_tables(manifest, tables)))
    assert set(SECTIONS) - {"warnings"} <= set(page.ids)
    assert ("plot-equity" in page.ids) == (rows > 1)
    assert "nan" not in page.text.lower()


def test_run_without_any_table_still_makes_a_page(make_run: RunMaker) -> None:
    manifest, _ = make_run(rows=13)
    bare = {**manifest, "instruments": [], "data": [], "sensitivity": None, "config": {}, "command": ""}
    page = Page(render_report(ReportInput.from_tables(bare, {})))
    assert "The run names no data." in page.text
    assert page.json("report-data") == {"charts": [], "columns": {}}


def test_ruined_account_is_reported_without_annual_figures(make_run: RunMaker) -> None:
    manifest, tables = make_run()
    tables["equity"]["equity"] = np.linspace(100_000.0, -5_000.0, len(tables["equity"]["ts"]))
    manifest["final"]["equity"] = "-5000"
    page = Page(render_report(ReportInput.from_tables(manifest, tables)))
    assert "Lost 105.0" in page.text
    assert "the account was lost" in page.text


def test_long_trade_table_names_how_many_more_there_are(make_run: RunMaker) -> None:
    manifest, tables = make_run()
    repeat = -(-600 // len(tables["trades"]["entry_ts"]))
    tables["trades"] = {name: np.tile(column, repeat)[:600] for name, column in tables["trades"].items()}
    page = Page(render_report(ReportInput.from_tables(manifest, tables)))
    assert "The first 500 are listed, 100 more are not." in page.text
    assert sum(1 for tag, attrs in page.tags if tag == "td" and attrs.get("class") == "when") == 2 * 500
    assert len(page.json("trades-csv").splitlines()) == 601


def test_csv_of_trades_disarms_formulas_and_names_times(make_run: RunMaker) -> None:
    page = rendered(make_run, name="=HYPERLINK(1)")
    lines = page.json("trades-csv").splitlines()
    assert lines[0].startswith("entry_ts,exit_ts,symbol,strategy")
    assert all("'=HYPERLINK(1)" in line for line in lines[1:])
    assert re.match(r"2000-\d\d-\d\dT\d\d:30:00\.000000000Z,", lines[1])


def test_costs_and_reasons_of_refused_orders_are_listed(make_run: RunMaker) -> None:
    manifest, tables = make_run()
    manifest["counts"]["denied"] = 2
    names = np.array(["IBM", "IBM", "MSFT"], dtype=object)
    tables["orders"] = {
        "ts": np.zeros(3, dtype=np.int64),
        "record": np.array(["deny", "deny", "accept"], dtype=object),
        "symbol": names,
        "reason": np.array(["position_max", "position_max", ""], dtype=object),
    }
    page = Page(render_report(ReportInput.from_tables(manifest, tables)))
    assert "2 orders denied by the risk checks" in page.text
    assert "position_max" in page.text
    assert "of gross" in page.text


def test_signals_are_listed_with_their_reason(make_run: RunMaker) -> None:
    manifest, tables = make_run()
    tables["signals"] = {
        "signal_id": np.array([1]),
        "ts": tables["equity"]["ts"][:1],
        "symbol": ["IBM"],
        "action": ["buy"],
        "confidence": np.array([0.7]),
        "target_price": np.array([np.nan]),
        "stop_price": np.array([98.5]),
        "reasoning": ["fast average above slow"],
    }
    page = Page(render_report(ReportInput.from_tables(manifest, tables)))
    assert "fast average above slow" in page.text
    assert "98.5" in page.text


def test_written_report_is_the_rendered_one_and_leaves_nothing_beside_it(make_run: RunMaker, tmp_path: Path) -> None:
    run = make_run()
    target = write_report(Folder(*run), tmp_path / "out" / "report.html")
    assert target.read_text(encoding="utf-8") == render_report(ReportInput.from_tables(*run))
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_folder_that_is_no_run_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a run"):
        write_report(tmp_path, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_report_that_fails_leaves_the_old_one_in_place(make_run: RunMaker, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    manifest, tables = make_run()
    del tables["equity"]["equity"]
    with pytest.raises(DataError, match="lacks the column 'equity'"):
        write_report(Folder(manifest, tables), target)
    assert target.read_text() == "old"
