import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.analytics.report import wording
from lockstep.analytics.report.caveats import data_notes, not_modelled, warnings
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import join, raw, script_json, tag
from lockstep.analytics.report.measures import calendar_of, measure
from lockstep.analytics.report.page import render_report
from lockstep.analytics.report.thinning import keep_extremes, keep_spread
from lockstep.model.errors import DataError

DAY_NS = 86_400_000_000_000
FLOATS = st.floats(min_value=-1e9, max_value=1e9)


@given(st.lists(FLOATS, max_size=400), st.integers(min_value=4, max_value=60))
def test_thinned_line_keeps_ends_and_extremes_within_the_limit(values: list[float], limit: int) -> None:
    array = np.array(values, dtype=np.float64)
    kept = keep_extremes(array, limit)
    assert len(kept) <= max(limit, 4)
    assert np.all(np.diff(kept) > 0)
    if values:
        assert (kept[0], kept[-1]) == (0, len(values) - 1)
        assert (array[kept].min(), array[kept].max()) == (array.min(), array.max())


def test_thinned_line_passes_over_undefined_points() -> None:
    values = np.full(1_000, np.nan)
    values[500], values[501] = 3.0, -3.0
    assert {500, 501} <= set(keep_extremes(values, 40).tolist())


@given(st.integers(min_value=0, max_value=5_000), st.integers(min_value=2, max_value=100))
def test_thinned_marks_keep_both_ends_within_the_limit(n: int, limit: int) -> None:
    kept = keep_spread(n, limit)
    assert len(kept) == min(n, limit)
    assert n == 0 or (kept[0], kept[-1]) == (0, n - 1)


@given(st.text())
def test_any_text_survives_the_script_block_and_cannot_end_it(text: str) -> None:
    encoded = script_json({"name": text})
    assert json.loads(encoded) == {"name": text}
    assert not set(encoded) & {"<", ">", "&", "\u2028", "\u2029"}


@given(st.text())
def test_any_text_is_escaped_as_child_and_as_attribute(text: str) -> None:
    built = tag("td", text, title=text)
    inner = built.removeprefix("<td title=").removesuffix("</td>")
    assert "<" not in inner
    assert inner.count(">") == 1


def test_markup_passes_its_own_and_leaves_out_absent_attributes() -> None:
    assert tag("a", raw("<b>x</b>"), "<", class_="c", hidden=True, title=None) == '<a class="c" hidden><b>x</b>&lt;</a>'
    assert tag("br") == "<br>"
    assert join(["<", raw("<i>")]) == "&lt;<i>"


def test_script_json_refuses_what_is_not_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


@pytest.mark.parametrize(
    ("read", "shown"),
    [
        (wording.percent(0.0423), "4.2 %"),
        (wording.percent(-0.0001), "0.0 %"),
        (wording.percent(None), "\N{EN DASH}"),
        (wording.percent(float("nan")), "\N{EN DASH}"),
        (wording.signed_percent(0.05), "+5.0 %"),
        (wording.signed_percent(0.00001), "0.0 %"),
        (wording.money(1234.5, "USD"), "$1,234"),
        (wording.money(-12.345, "EUR"), "\N{MINUS SIGN}\N{EURO SIGN}12.35"),
        (wording.money(5000, "USDT"), "5,000 USDT"),
        (wording.money(-0.001, "USD"), "$0.00"),
        (wording.signed_money(20.0, "USD"), "+$20.00"),
        (wording.number(float("inf")), "\N{INFINITY}"),
        (wording.plural(1, "trade"), "1 trade"),
        (wording.plural(1_200, "trade"), "1,200 trades"),
        (wording.span(200_000_000), "200 ms"),
        (wording.span(90 * 1_000_000_000), "90 s"),
        (wording.span(3_600_000_000_000), "60 min"),
        (wording.span(DAY_NS), "1 day"),
        (wording.span(DAY_NS + 3_600_000_000_000), "25 h"),
        (wording.span(12 * DAY_NS), "12 days"),
        (wording.span(1_000 * DAY_NS), "2.7 years"),
        (wording.date(951_944_400_000_000_000), "2000-03-01"),
        (wording.date_or_minute(951_944_400_000_000_000, 60_000_000_000), "2000-03-01 21:00"),
        (wording.date_or_minute(951_944_400_000_000_000, DAY_NS), "2000-03-01"),
    ],
)
def test_numbers_read_as_people_write_them(read: str, shown: str) -> None:
    assert read.replace("\N{NARROW NO-BREAK SPACE}", " ") == shown


def test_other_schema_version_is_refused_with_advice() -> None:
    with pytest.raises(DataError, match="schema version 99, this report reads 4") as caught:
        ReportInput.from_tables({"schema_version": 99}, {})
    assert "again" in caught.value.hint


def test_manifest_without_a_field_is_refused_by_its_name() -> None:
    with pytest.raises(DataError, match="run_hash"):
        ReportInput.from_tables({"schema_version": 4}, {})


def test_columns_of_unequal_length_are_refused(make_run) -> None:  # type: ignore[no-untyped-def]
    manifest, tables = make_run()
    tables["benchmark"]["equity"] = tables["benchmark"]["equity"][:-1]
    with pytest.raises(DataError, match="different length"):
        ReportInput.from_tables(manifest, tables)


def test_nulls_become_plain_values(make_run) -> None:  # type: ignore[no-untyped-def]
    manifest, tables = make_run()
    exits = np.ma.MaskedArray(tables["trades"]["exit_price"], mask=False)
    exits[0] = np.ma.masked
    tables["trades"]["exit_price"] = exits
    tables["trades"]["strategy"] = [*tables["trades"]["strategy"].tolist()]
    run = ReportInput.from_tables(manifest, tables)
    assert np.isnan(run.table("trades")["exit_price"][0])
    assert not isinstance(run.table("trades")["exit_price"], np.ma.MaskedArray)


def test_days_are_counted_by_the_session_of_the_instrument(make_run) -> None:  # type: ignore[no-untyped-def]
    manifest, tables = make_run()
    assert calendar_of(ReportInput.from_tables(manifest, tables)).name == "XNYS"
    for facts in manifest["instruments"]:
        facts |= {"session": "elsewhere", "timezone": "UTC", "periods_per_year": 365}
    unknown = calendar_of(ReportInput.from_tables(manifest, tables))
    assert (unknown.name, unknown.periods_per_year, unknown.always_open) == ("elsewhere", 365, True)


def test_warnings_name_gaps_adjustments_open_positions_and_missing_parts(make_run) -> None:  # type: ignore[no-untyped-def]
    manifest, tables = make_run()
    for facts in manifest["data"]:
        facts |= {"gaps": 2, "longest_gap_ns": 5 * DAY_NS, "adjustments": "not modelled", "notes": ["late start"]}
    manifest |= {"sensitivity": None, "warnings": ["the feed was cut", "the feed was cut"], "stopped": None}
    manifest["counts"]["rejected"] = 3
    tables["benchmark"] = {}
    run = ReportInput.from_tables(manifest, tables)
    found = warnings(run, measure(run))
    assert len(found) == len(set(found))
    assert data_notes(run) == ("Late start (IBM, MSFT).",)
    for words in (
        "The feed was cut.",
        "4 gaps in the data of IBM, MSFT, the longest 5 days of trading time",
        "Splits and dividends of IBM, MSFT are not modelled.",
        "1 position still open at the end (MSFT)",
        "3 rejected by the venue",
        "No buy-and-hold comparison",
        "sensitivity were not computed",
        "shorter than a year",
    ):
        assert any(words in text for text in found), words


def test_not_modelled_follows_the_configuration(make_run) -> None:  # type: ignore[no-untyped-def]
    manifest, tables = make_run()
    text = " ".join(not_modelled(ReportInput.from_tables(manifest, tables)))
    assert "Slippage is not modelled" in text
    assert "No order takes more than 10" in text
    manifest["config"] |= {"slippage": {"bps": "2", "volume_impact": "0"}, "fills": {"participation": None}}
    text = " ".join(not_modelled(ReportInput.from_tables(manifest, tables)))
    assert "Slippage is not modelled" not in text
    assert "Volume is not a limit" in text
    assert "taxes" in text


def test_run_on_a_book_is_not_told_of_bars_and_splits(make_run) -> None:  # type: ignore[no-untyped-def]
    manifest, tables = make_run()
    (one, *_), (facts, *_) = manifest["instruments"], manifest["data"]
    manifest["instruments"] = [one | {"asset_class": "crypto"}]
    facts |= {"adjustments": "not modelled", "symbol": one["symbol"], "bar_ns": 0, "gaps": 2, "notes": ["torn"]}
    manifest["data"] = [facts | {"kind": kind} for kind in ("trade", "quote", "book")]
    run = ReportInput.from_tables(manifest, tables)
    text = " ".join((*not_modelled(run), *warnings(run, measure(run))))
    for words in ("bar's volume", "recorded price", "Splits and dividends", f"{one['symbol']}, {one['symbol']}"):
        assert words not in text, words
    assert data_notes(run) == (f"Torn ({one['symbol']}).",)


def test_head_of_a_run_without_bars_counts_events(make_run) -> None:  # type: ignore[no-untyped-def]
    manifest, tables = make_run()
    manifest["counts"] |= {"bars": 0, "events": 5_000}
    page = render_report(ReportInput.from_tables(manifest, tables))
    assert "\N{MIDDLE DOT} 5,000 events" in page
    assert "\N{MIDDLE DOT} 0 bars" not in page
