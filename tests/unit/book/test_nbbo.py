"""The best of all venues: who counts, who does not and why, and prices that cannot both be true."""

import pytest

from lockstep.book.nbbo import BestOfVenues, Nbbo, Side
from lockstep.model.errors import UsageError

LIMIT = 1_000_000_000


def venues() -> BestOfVenues:
    best = BestOfVenues(["A", "B", "C"], LIMIT)
    best.update("A", 10, 100, 5, 103, 6)
    best.update("B", 20, 101, 7, 103, 8)
    return best


def test_best_of_each_side_sums_who_stands_at_it() -> None:
    found = venues().at(20)
    assert found == Nbbo(Side(101, 7, ("B",)), Side(103, 14, ("A", "B")), "normal", {"C": "nothing heard yet"})


def test_silent_venue_is_left_out_and_back_with_its_next_word() -> None:
    best = venues()
    assert best.at(10 + LIMIT).left_out == {"C": "nothing heard yet"}
    found = best.at(11 + LIMIT)
    assert found.left_out["A"] == "last heard 1.000 s ago, limit 1.000"
    assert found.ask == Side(103, 8, ("B",))
    best.update("A", 11 + LIMIT, 100, 5, 103, 6)
    assert "A" not in best.at(11 + LIMIT).left_out


def test_venue_whose_book_is_not_good_is_left_out_until_its_next_update() -> None:
    best = venues()
    best.mark_bad("B")
    assert best.at(20).bid == Side(100, 5, ("A",))
    assert best.at(20).left_out["B"] == "its book is not good"
    best.update("B", 21, 101, 7, 103, 8)
    assert best.at(21).bid == Side(101, 7, ("B",))


def test_locked_and_crossed_are_told_and_a_lasting_cross_counts_once() -> None:
    best = venues()
    best.update("C", 30, 103, 1, 110, 1)
    assert best.at(30).condition == "locked"
    best.update("C", 31, 104, 1, 110, 1)
    assert [best.at(31).condition, best.at(32).condition, best.crossings] == ["crossed", "crossed", 1]
    best.update("C", 33, 90, 1, 110, 1)
    assert best.at(33).condition == "normal"
    best.update("C", 34, 104, 1, 110, 1)
    assert (best.at(34).condition, best.crossings) == ("crossed", 2)


def test_side_without_an_order_has_no_best() -> None:
    best = BestOfVenues(["A"], LIMIT)
    best.update("A", 1, 0, 0, 103, 6)
    found = best.at(1)
    assert (found.bid, found.ask, found.condition) == (None, Side(103, 6, ("A",)), "one-sided")


def test_negative_prices_are_prices() -> None:
    best = BestOfVenues(["A", "B"], LIMIT)
    best.update("A", 1, -300, 1, -200, 1)
    best.update("B", 1, -250, 1, -100, 1)
    found = best.at(1)
    assert (found.bid, found.ask) == (Side(-250, 1, ("B",)), Side(-200, 1, ("A",)))


def test_word_that_cannot_be_is_refused_and_changes_nothing() -> None:
    best = venues()
    before = best.at(20)
    for bad in ((9, 100, 5, 103, 6), (20, 100, -1, 103, 6)):
        with pytest.raises(ValueError, match="must be"):
            best.update("A", *bad)
    with pytest.raises(UsageError, match="no venue 'D'"):
        best.update("D", 20, 1, 1, 2, 1)
    assert best.at(20) == before


@pytest.mark.parametrize(("names", "stale"), [([], 1), (["A", "A"], 1), (["A"], 0)])
def test_venues_that_cannot_be_are_refused(names: list[str], stale: int) -> None:
    with pytest.raises(UsageError):
        BestOfVenues(names, stale)
