from collections.abc import Callable
from typing import Any

import pytest

from lockstep.analytics.report.comparison import best_of, differences, incomparable, names_of, render_comparison
from lockstep.analytics.report.glossary import Figure
from lockstep.analytics.report.inputs import ReportInput
from lockstep.model.errors import UsageError

RunMaker = Callable[..., tuple[dict[str, Any], dict[str, dict[str, Any]]]]


@pytest.fixture
def two(make_run: RunMaker) -> list[ReportInput]:
    return [ReportInput.from_tables(*make_run()), ReportInput.from_tables(*make_run(slow=20))]


def test_runs_are_named_by_letter_and_what_differs(two: list[ReportInput]) -> None:
    assert names_of(two) == ["A SmaCross slow=12", "B SmaCross slow=20"]


def test_page_shows_both_curves_and_the_differing_parameter(two: list[ReportInput]) -> None:
    page = render_comparison(two)
    for text in (
        "A SmaCross slow=12",
        "B SmaCross slow=20",
        "parameter.slow",
        'id="plot-equity"',
        'id="plot-underwater"',
    ):
        assert text in page
    assert "Not like for like" not in page
    assert page == render_comparison(two)


def test_differences_leave_out_what_is_the_same(two: list[ReportInput]) -> None:
    assert differences(two) == [("parameter.slow", ["12", "20"])]
    assert differences([two[0], two[0]]) == []


def test_same_run_twice_is_called_the_same(two: list[ReportInput]) -> None:
    assert "these are the same run" in render_comparison([two[0], two[0]])


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"symbols": ("IBM",)}, "different instruments"), ({"rows": 60}, "different periods")],
)
def test_unlike_runs_are_warned_of(make_run: RunMaker, two: list[ReportInput], settings: Any, words: str) -> None:
    other = ReportInput.from_tables(*make_run(**settings))
    assert any(words in text for text in incomparable([two[0], other]))
    assert "Not like for like" in render_comparison([two[0], other])


def test_other_data_and_capital_are_warned_of(make_run: RunMaker, two: list[ReportInput]) -> None:
    manifest, tables = make_run()
    manifest["data"][0]["content_hash"] = "00" * 32
    manifest["config"]["cash"] = "50000"
    found = " ".join(incomparable([two[0], ReportInput.from_tables(manifest, tables)]))
    assert "content hashes differ" in found
    assert "different capital" in found


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_or_too_many_runs_are_refused(two: list[ReportInput], n: int) -> None:
    with pytest.raises(UsageError, match=f"was given {n}"):
        render_comparison([two[0]] * n)


def row(*values: float | None, better: int = 1) -> list[Figure]:
    return [Figure("x", value, str(value), "", better) for value in values]


@pytest.mark.parametrize(
    ("figures", "best"),
    [
        (row(1.0, 2.0, 3.0), {2}),
        (row(1.0, 2.0, better=-1), {0}),
        (row(2.0, 2.0, 1.0), {0, 1}),
        (row(1.0, 1.0), set()),
        (row(1.0, None), set()),
        (row(1.0, 2.0, better=0), set()),
    ],
)
def test_best_of_a_row_is_marked_only_where_there_is_one(figures: list[Figure], best: set[int]) -> None:
    assert best_of(figures) == best


def test_run_without_trades_compares_with_one_that_traded(make_run: RunMaker, two: list[ReportInput]) -> None:
    idle = ReportInput.from_tables(*make_run(slow=200))
    assert "sent no order" in render_comparison([two[0], idle])
