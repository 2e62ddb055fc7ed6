"""Snapshots and changes in any order, with gaps and repeats: a book that says it is GOOD is the venue's book."""

from pathlib import Path
from tempfile import TemporaryDirectory

from book_files import Levels, book, depth, recording, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_books import event_ends, held, records_of

from lockstep.book.l2 import L2Book

Level = tuple[int, int, int]
MESSAGES = 30


@st.composite
def feeds(draw: st.DrawFn) -> tuple[list[Level], list[str]]:
    """The changes of a book, numbered from 1, and the lines of a recording of them: some missing, some twice, snapshots that are late."""
    changes: list[Level] = []
    lines: list[str] = []
    for at in range(draw(st.integers(1, MESSAGES))):
        batch = draw(
            st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 6), st.integers(0, 3)), min_size=1, max_size=3)
        )
        first = len(changes) + 1
        changes += [(side, 10 - price if side > 0 else 10 + price, qty) for side, price, qty in batch]
        sides = {side: texts(changes[first - 1 :], side) for side in (1, -1)}
        for _ in range(draw(st.sampled_from([1, 1, 1, 1, 0, 2]))):
            lines.append(depth(first, len(changes), sides[1], sides[-1], at=at))  # noqa: PERF401 - drawn one by one
        if draw(st.integers(0, 5)) == 0:
            number = max(0, len(changes) - draw(st.integers(0, 8)))
            levels = levels_after(changes, number)
            full = {side: texts([(s, p, q) for (s, p), q in levels.items()], side) for side in (1, -1)}
            lines.append(snapshot(number, full[1], full[-1], at=at))
    return changes, lines


def texts(levels: list[Level], side: int) -> Levels:
    return [(str(price), str(qty)) for which, price, qty in levels if which == side]


def levels_after(changes: list[Level], number: int) -> dict[tuple[int, int], int]:
    """The levels after the change of a number."""
    found: dict[tuple[int, int], int] = {}
    for side, price, qty in changes[:number]:
        found[side, price] = qty
    return {key: qty for key, qty in found.items() if qty}


@settings(max_examples=60)
@given(feeds())
def test_a_joined_book_that_is_good_is_the_book_of_its_number(feed: tuple[list[Level], list[str]]) -> None:
    changes, lines = feed
    if not any("depthUpdate" in line for line in lines):
        return
    with TemporaryDirectory() as folder:
        data = book(recording(Path(folder), *lines))
        records = records_of(data)
    scale = 10**data.instrument.qty_decimals
    joined, rows, begin = L2Book(data.instrument, tick=1), held(records), 0
    for end in event_ends(records).tolist():
        joined.apply(rows, begin, end)
        begin = end
        if joined.is_good:
            shown = {(side, price): qty // scale for side in (1, -1) for price, qty in joined.depth_units(side, 100)}
            assert shown == levels_after(changes, int(records["p3"][end - 1]))
