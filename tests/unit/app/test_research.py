"""`lockstep research`: what it refuses, and its object on a small book; what it finds in recordings is in tests/reality."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from book_files import depth, mbo, recording, snapshot
from click.testing import Result

Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]


def test_research_rebuild_of_a_book_of_levels_says_that_it_needs_every_order(call: Call, tmp_path: Path) -> None:
    lines = [snapshot(5, [("10.0", "1")], [("11.0", "1")]), depth(6, 6, [("10.0", "2")], [], at=9)]
    said = call("research", "rebuild", str(recording(tmp_path, *lines)), code=1)
    assert "told by levels" in said.output


def test_research_rebuild_of_a_missing_file_names_it(call: Call) -> None:
    said = call("research", "rebuild", "missing.dbn")
    assert said.exit_code != 0
    assert "missing.dbn" in said.output


def test_research_rebuild_of_too_little_says_so(call: Call, tmp_path: Path) -> None:
    file = mbo(tmp_path, ("A", "B", 1, 4800.0, 3, 128), ("A", "B", 2, 4800.0, 3, 128))
    said = call("research", "rebuild", str(file), code=1)
    assert "nothing to compare in" in said.output


def test_research_rebuild_counts_the_orders_of_a_small_book(call_json: CallJson, tmp_path: Path) -> None:
    file = mbo(tmp_path, *[("A", "B", k, 4800.0, 3, 128) for k in range(1, 9)])
    told = call_json("research", "rebuild", str(file), "--every", "1", "--one-in", "1000000")
    (one,) = told["files"]
    assert one["counts"]["all"] == {"asked": 7, "orders": 4.0, "error": 0.0, "bias": 0.0, "exact": 1.0}
    assert one["cancels"] == {"whole": 0, "only": 0, "newest": 0, "parts": 0}
