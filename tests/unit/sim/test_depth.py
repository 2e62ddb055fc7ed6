"""How orders meet an order book: each rule by itself, in the venue's own time."""

from typing import Any

import pytest
from depth_machine import act, depth_venue, play_book
from depth_words import LEVELS, ORDERS, QUIET, SHARE, STANDING, b, fills, full, send, t, words
from machine import T0, coin
from slow_depth import DepthRules

from lockstep.model.enums import BookFault, BookState


def test_market_order_walks_the_book_level_by_level_and_waits_for_more() -> None:
    seen = [full(0), send(0, 1, qty=65), b(3, ("SET", -1, 105, 7))]
    assert fills(LEVELS, *seen) == [
        (1, 0, 10, 101, "taker"), (1, 0, 20, 102, "taker"), (1, 0, 30, 104, "taker"), (1, 3, 5, 105, "taker"),
    ]  # fmt: skip


def test_limit_takes_as_far_as_it_reaches_and_its_rest_rests() -> None:
    seen = [full(0), send(0, 1, qty=40, limit=103), b(2, ("SET", -1, 101, 4))]
    assert fills(LEVELS, *seen) == [
        (1, 0, 10, 101, "taker"),
        (1, 0, 20, 102, "taker"),
        (1, 2, 4, 103, "maker"),
    ]


def test_ioc_ends_with_what_it_got_and_fok_looks_at_the_whole_reach_first() -> None:
    seen = [full(0), send(0, 1, qty=31, limit=102, tif="FOK"), send(0, 2, qty=30, limit=102, tif="FOK")]
    assert fills(LEVELS, *seen) == [(2, 0, 10, 101, "taker"), (2, 0, 20, 102, "taker")]
    assert words(LEVELS, 1, *seen)[-1] == ("CANCEL", 0, "TIME_IN_FORCE")
    assert words(LEVELS, 1, full(0), send(0, 1, qty=31, limit=102, tif="IOC"))[-2:] == [
        ("FILL", 0, 20, 102, False),
        ("CANCEL", 0, "TIME_IN_FORCE"),
    ]


def test_what_we_took_stays_taken_until_the_level_is_told() -> None:
    seen = [full(0), send(0, 1, qty=8), b(1, ("SET", -1, 102, 21)), send(1, 2, qty=5), b(2, ("SET", -1, 101, 10))]
    assert fills(LEVELS, *seen, send(2, 3, qty=5)) == [
        (1, 0, 8, 101, "taker"),
        (2, 1, 2, 101, "taker"),
        (2, 1, 3, 102, "taker"),
        (3, 2, 5, 101, "taker"),
    ]


def test_what_we_took_comes_back_by_halves_whatever_is_told() -> None:
    rules = DepthRules(recovery=10)
    seen = [full(0), send(0, 1, qty=8), b(10, ("SET", -1, 101, 10)), send(10, 2, qty=8, limit=101, tif="IOC")]
    assert fills(rules, *seen) == [(1, 0, 8, 101, "taker"), (2, 10, 6, 101, "taker")]


def test_resting_limit_is_filled_by_what_trades_have_left_after_the_queue() -> None:
    seen = [full(0), send(0, 1, limit=99), t(1, 99, 7), b(1, ("SET", 1, 99, 3)), t(2, 99, 6), t(3, 99, 20)]
    assert fills(LEVELS, *seen) == [(1, 2, 3, 99, "maker"), (1, 3, 2, 99, "maker")]


def test_trades_of_our_own_side_and_of_another_price_do_not_reach_us() -> None:
    assert fills(LEVELS, full(0), send(0, 1, limit=99), t(1, 99, 99, 1), t(2, 100, 99, -1)) == []


def test_trade_beyond_our_price_fills_us_up_to_its_size() -> None:
    assert fills(LEVELS, full(0), send(0, 1, limit=99), t(1, 98, 3), t(2, 98, 30)) == [
        (1, 1, 3, 99, "maker"),
        (1, 2, 2, 99, "maker"),
    ]


def test_trade_beyond_our_price_leaves_nobody_ahead_of_us() -> None:
    seen = [full(0), send(0, 1, limit=99), t(1, 98, 3), t(2, 99, 2)]
    assert fills(LEVELS, *seen) == [(1, 1, 3, 99, "maker"), (1, 2, 2, 99, "maker")]


def test_book_that_comes_to_our_price_fills_us_with_what_stands_there() -> None:
    seen = [full(0), send(0, 1, limit=99), b(1, ("SET", 1, 99, 0), ("SET", 1, 98, 0), ("SET", -1, 99, 3))]
    assert fills(LEVELS, *seen, b(2, ("SET", -1, 98, 9))) == [(1, 1, 3, 99, "maker"), (1, 2, 2, 99, "maker")]


def test_one_trade_serves_our_orders_best_price_first_then_by_their_places() -> None:
    seen = [full(0), send(0, 1, limit=99, qty=4), send(0, 2, limit=99, qty=4), send(0, 3, limit=100, qty=2)]
    assert fills(LEVELS, *seen, t(1, 99, 17)) == [
        (3, 1, 2, 100, "maker"),
        (1, 1, 4, 99, "maker"),
        (2, 1, 1, 99, "maker"),
    ]


def test_cancels_before_us_move_us_up_by_the_model() -> None:
    seen = [full(0), send(0, 1, limit=99), b(1, ("SET", 1, 99, 20)), b(2, ("SET", 1, 99, 12)), t(3, 99, 7)]
    assert fills(LEVELS, *seen) == []
    assert fills(SHARE, *seen) == [(1, 3, 1, 99, "maker")]  # of 8 that left, 4 stood ahead: 6 are left of 10


def test_between_the_changes_of_a_group_nothing_is_matched() -> None:
    seen = [full(0), send(0, 1, limit=99), b(1, ("SET", -1, 98, 3), last=False), send(1, 2, qty=1), t(1, 97, 0)]
    seen += [b(2, ("SET", -1, 98, 0))]
    assert fills(LEVELS, *seen) == [(2, 2, 1, 101, "taker")]


def test_book_that_is_not_good_matches_nothing_and_says_so() -> None:
    auction = b(1, ("STATUS", 0, int(BookState.AUCTION), int(BookFault.VENUE)))
    good = b(9, ("STATUS", 0, int(BookState.GOOD), 0))
    seen = [full(0), send(0, 1, limit=99), auction, t(2, 98, 50), send(3, 2), send(4, 3, tif="IOC")]
    assert fills(LEVELS, *seen) == []
    assert words(LEVELS, 3, *seen)[-1] == ("CANCEL", 4, "TIME_IN_FORCE")
    _, _, market = play_book(LEVELS, seen)
    assert market.depth is not None
    assert market.depth.shut_counts() == {"AUCTION": 4}  # the word itself, the trade, two orders
    assert fills(LEVELS, *seen, good) == [(2, 9, 5, 101, "taker")]


LOST = ("STATUS", 0, int(BookState.RESYNCING), int(BookFault.GAP))
MUCH_LATER = full(30_000_000_000, ("SET", 1, 199, 10), ("SET", -1, 201, 10))


@pytest.mark.parametrize(
    ("seen", "ended"),
    [
        ([b(1, LOST, last=False), send(2, 1, tif="IOC")], 2),  # as the catalog writes it: no end of a group
        ([b(1, LOST, last=False), send(2, 1, limit=150, tif="FOK")], 2),
        ([b(1, ("SET", 1, 99, 5), last=False), send(2, 1, tif="IOC"), b(3, LOST)], 3),
        ([b(1, ("SET", 1, 99, 5), last=False), send(2, 1, tif="IOC"), b(3, LOST, last=False)], 3),
        ([send(1, 1, tif="IOC", late=True), b(3, LOST)], 3),
        ([b(1, ("SET", 1, 99, 5), last=False), send(2, 1, tif="IOC"), b(3, ("SET", -1, 98, 5))], 3),  # it ends crossed
    ],
)
def test_order_that_may_not_wait_takes_nothing_from_the_book_after_a_gap(seen: list[Any], ended: int) -> None:
    assert words(LEVELS, 1, full(0), *seen, MUCH_LATER)[-1] == ("CANCEL", ended, "TIME_IN_FORCE")


def test_crossed_book_fills_nothing_until_a_full_one_comes() -> None:
    seen = [full(0), send(0, 1, limit=99), b(1, ("SET", -1, 98, 5)), b(2, ("SET", -1, 98, 5))]
    assert fills(LEVELS, *seen) == []
    assert fills(LEVELS, *seen, full(3, ("SET", 1, 97, 1), ("SET", -1, 98, 5))) == [(1, 3, 5, 99, "maker")]


def test_silent_book_is_stale_and_fills_nothing() -> None:
    venue = depth_venue(LEVELS, silence_max_ns=10)
    _, made, market = play_book(LEVELS, [full(0), send(11, 1), send(11, 2, limit=99)], venue)
    assert made == []
    assert market.depth is not None
    assert market.depth.shut_counts() == {"STALE": 2}


def test_post_only_that_would_take_is_refused_and_one_that_rests_is_filled() -> None:
    seen = [full(0), send(0, 1, limit=101, post_only=True), send(0, 2, limit=100, post_only=True), t(1, 100, 9)]
    assert words(LEVELS, 1, *seen)[-1] == ("REJECT", 0, "POST_ONLY")
    assert fills(LEVELS, *seen) == [(2, 1, 5, 100, "maker")]


def test_reduce_only_walks_no_further_than_the_position() -> None:
    seen = [full(0), send(0, 1, qty=12), send(1, 2, side=-1, qty=30, reduce_only=True)]
    assert fills(LEVELS, *seen)[2:] == [(2, 1, 10, 99, "taker"), (2, 1, 2, 98, "taker")]
    assert words(LEVELS, 2, *seen)[-1] == ("CANCEL", 1, "REDUCE_ONLY")


def test_stop_watches_trades_and_takes_the_book_that_stands() -> None:
    seen = [full(0), send(0, 1, kind="stop", stop=103, qty=12), b(1, ("SET", -1, 101, 0), ("SET", -1, 102, 0))]
    assert fills(LEVELS, *seen, t(2, 103, 1, 1)) == [(1, 2, 12, 104, "taker")]
    assert fills(QUIET, *seen) == [(1, 1, 12, 104, "taker")]  # without trades it watches what it would take


def test_only_whole_lots_are_taken() -> None:
    venue = depth_venue(LEVELS, instrument=coin(lot_size=4))
    _, made, _ = play_book(LEVELS, [full(0), send(0, 1, qty=12)], venue)
    assert [(qty, price) for _, _, qty, price, _ in made] == [(8, 101), (4, 102)]


def test_order_meets_no_trade_from_before_what_its_sender_knew() -> None:
    seen = [full(0, *STANDING[1:]), send(1, 1, limit=99, late=True), t(1, 98, 50), t(2, 98, 2)]
    assert fills(LEVELS, *seen, t(3, 98, 2)) == [(1, 3, 2, 99, "maker")]


def test_smaller_quantity_keeps_the_place_and_larger_or_other_price_loses_it() -> None:
    rest = [full(0), send(0, 1, limit=99), b(1, ("SET", 1, 99, 30))]
    trade = t(3, 99, 14)
    for replaced, expected in (((3, 99), [(1, 3, 3, 99, "maker")]), ((6, 99), []), ((5, 98), [])):
        assert fills(LEVELS, *rest, ("replace", T0 + 2, 1, *replaced), trade) == expected


def test_order_of_which_more_has_come_joins_the_queue_when_it_comes() -> None:
    rest = [full(0), send(1, 1, limit=99), b(5, ("SET", 1, 99, 30))]
    _, _, market = play_book(LEVELS, [*rest, ("replace", T0 + 20, 1, 9, 99)])
    assert market.depth is not None
    assert market.depth.placements.words()[6:] == [1, T0 + 20, 0, 30, 9, 0]
    venue = depth_venue(LEVELS, silence_max_ns=10)
    _, _, market = play_book(LEVELS, [*rest, ("replace", T0 + 20, 1, 9, 99)], venue)
    assert market.depth is not None
    assert market.depth.shut_counts() == {"STALE": 1}
    assert len(market.depth.placements.words()) == 6


def test_market_order_walks_levels_far_from_the_best_to_the_end() -> None:
    far = full(0, ("SET", 1, 99, 10), ("SET", -1, 101, 10), ("SET", -1, 500, 10), ("SET", -1, 400, 10))
    assert fills(LEVELS, far, send(1, 1, qty=35), send(2, 2, qty=40, limit=9_999, tif="FOK")) == [
        (1, 1, 10, 101, "taker"),
        (1, 1, 10, 400, "taker"),
        (1, 1, 10, 500, "taker"),
    ]


def test_mark_outs_that_the_data_end_before_are_unknown_after_any_number_of_fills() -> None:
    second = 1_000_000_000
    seen = [full(0, ("SET", 1, 99, 10), ("SET", -1, 101, 1_000)), *(send(k, k, qty=1) for k in range(1, 65))]
    seen += [b(20 * second, ("SET", 1, 97, 5)), *(send(30 * second + k, k, qty=1) for k in range(65, 68))]
    _, _, market = play_book(LEVELS, seen)
    assert market.depth is not None
    rows = market.depth.marks.rows()
    assert rows[63] == (64, 200, 200, 200)
    assert rows[64:] == [(65, 0, 0, 0), (66, 0, 0, 0), (67, 0, 0, 0)]


def test_mark_outs_do_not_measure_a_price_of_before_a_split_by_a_middle_of_after() -> None:
    second = 1_000_000_000
    venue = depth_venue(LEVELS)
    for what, ts, *rest in (full(0), send(1, 1, qty=1), b(2 * second, ("SET", 1, 97, 5))):
        act(venue, what, ts, *rest)
    venue.on_split(0, T0 + 3 * second, 2, 1)
    for what, ts, *rest in (full(4 * second, ("SET", 1, 49, 1), ("SET", -1, 51, 1)), b(20 * second, ("SET", 1, 48, 5))):
        act(venue, what, ts, *rest)
    assert venue.markets[0].depth is not None
    assert venue.markets[0].depth.marks.rows() == [(1, 200, 0, 0)]


# ---- order by order


def add(ident: int, side: int, price: int, qty: int) -> tuple[Any, ...]:
    return ("ADD", side, price, qty, ident)


RESTING = b(0, add(11, 1, 99, 4), add(12, 1, 99, 6), add(21, -1, 101, 5))
TOLD = ("book", T0, [("CLEAR", 0, 0, 0, 0), *RESTING[2]], True, True)


def test_exact_place_is_reached_by_executions_of_orders_behind_it_alone() -> None:
    seen = [TOLD, send(0, 1, limit=99), b(1, add(13, 1, 99, 9)), b(2, ("MATCH", 1, 99, 4, 11), ("MATCH", 1, 99, 6, 12))]
    assert fills(ORDERS, *seen) == []
    assert fills(ORDERS, *seen, b(3, ("MATCH", 1, 99, 2, 13))) == [(1, 3, 2, 99, "maker")]


def test_exact_order_ahead_that_grows_or_comes_back_stands_behind_us() -> None:
    seen = [TOLD, send(0, 1, limit=99), b(1, ("MODIFY", 1, 99, 7, 12)), b(2, ("MATCH", 1, 99, 3, 12))]
    assert fills(ORDERS, *seen) == [(1, 2, 3, 99, "maker")]
    smaller = b(1, ("MODIFY", 1, 99, 5, 12))
    assert fills(ORDERS, TOLD, send(0, 1, limit=99), smaller, b(2, ("MATCH", 1, 99, 3, 12))) == []


def test_exact_execution_at_a_worse_price_fills_us_and_its_trade_does_not_again() -> None:
    seen = [TOLD, send(0, 1, limit=100), b(2, ("MATCH", 1, 99, 3, 11)), t(2, 99, 3)]
    assert fills(ORDERS, *seen) == [(1, 2, 3, 100, "maker")]


def test_exact_trade_that_no_execution_explains_met_a_hidden_order_and_meets_those_who_show_first() -> None:
    first, behind = [TOLD, send(0, 1, limit=100)], [TOLD, send(0, 1, limit=99)]
    assert fills(ORDERS, *first, t(1, 100, 2)) == [(1, 1, 2, 100, "maker")]
    assert fills(ORDERS, *behind, t(1, 99, 12)) == [(1, 1, 2, 99, "maker")]  # ten stand before us
    seen = [b(1, ("MATCH", 1, 99, 4, 11)), t(1, 99, 4), t(1, 99, 8)]
    assert fills(ORDERS, *behind, *seen) == [(1, 1, 2, 99, "maker")]


def test_exact_trade_of_executions_from_before_our_arrival_does_not_fill_us() -> None:
    executed = b(1, ("MATCH", 1, 99, 4, 11), ("MATCH", 1, 99, 6, 12))
    for ts in (1, 2):  # of their moment, and later
        assert fills(ORDERS, TOLD, executed, send(ts, 1, limit=99), t(3, 99, 10)) == []
    assert fills(ORDERS, TOLD, executed, send(2, 1, limit=99), t(3, 99, 12)) == [(1, 3, 2, 99, "maker")]
    told = [TOLD, executed, t(1, 99, 10), send(2, 1, limit=99)]  # a trade explains executions once, whoever rests
    assert fills(ORDERS, *told, t(3, 99, 10)) == [(1, 3, 5, 99, "maker")]


def test_book_of_orders_gives_back_what_we_took_as_it_leaves() -> None:
    more = b(1, add(22, -1, 101, 3))
    seen = [TOLD, send(0, 1, qty=5), more, send(1, 2, qty=9, limit=101, tif="IOC")]
    assert fills(ORDERS, *seen) == [(1, 0, 5, 101, "taker"), (2, 1, 3, 101, "taker")]
    left = b(2, ("MATCH", -1, 101, 5, 21), add(23, -1, 101, 2))
    assert fills(ORDERS, *seen, left, send(2, 3, qty=9, limit=101, tif="IOC"))[2:] == [(3, 2, 2, 101, "taker")]


def test_quotes_do_nothing_where_there_is_a_book() -> None:
    venue = depth_venue(LEVELS)
    act(venue, "book", T0, *full(0)[2:])
    assert venue.on_quote(0, T0 + 1, 200, 201, 5, 5) == 0
    assert venue.markets[0].bid == 0


def test_trade_after_the_change_of_its_level_at_one_moment_leads_to_the_same_fills_as_before_it() -> None:
    trade, change = t(1, 99, 4), b(1, ("SET", 1, 99, 6))
    for rules in (LEVELS, SHARE):
        either = [
            fills(rules, full(0), send(0, 1, limit=99), *two, t(2, 99, 9)) for two in ((trade, change), (change, trade))
        ]
        assert either == [[(1, 2, 3, 99, "maker")]] * 2


def test_trade_that_the_level_had_in_it_when_we_joined_eats_nothing_ahead_of_us() -> None:
    seen = [full(0), b(1, ("SET", 1, 99, 6)), send(1, 1, limit=99), t(1, 99, 4), t(2, 99, 9)]
    assert fills(LEVELS, *seen) == [(1, 2, 3, 99, "maker")]
