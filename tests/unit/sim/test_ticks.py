"""How orders meet quotes and trades: each rule by itself, in the venue's own time."""

from decimal import Decimal
from typing import Any

import pytest
from machine import DAY, HOUR, SECOND, T0, coin
from slow_ticks import TickRules, TickWish
from tick_machine import Told, play, request_for, venue_for

from lockstep.model.enums import AssetClass
from lockstep.model.instrument import Instrument
from lockstep.model.sessions import XNYS
from lockstep.sim.models import Latency

QUOTES = TickRules()
TRADES = TickRules(quotes=False, trades=True)
BOTH = TickRules(quotes=True, trades=True)


def q(ts: int, bid: int, ask: int, bid_qty: int = 10, ask_qty: int = 10) -> tuple[Any, ...]:
    return ("quote", T0 + ts, bid, ask, bid_qty, ask_qty)


def t(ts: int, price: int, qty: int = 10, aggressor: int = 0) -> tuple[Any, ...]:
    return ("trade", T0 + ts, price, qty, aggressor)


def send(ts: int, ident: int, **wish: Any) -> tuple[Any, ...]:
    fields = {"side": 1, "qty": 5} | wish
    return ("send", T0 + ts, ident, TickWish(**fields))


def fills(rules: TickRules, *actions: tuple[Any, ...]) -> list[tuple[int, int, int, int, str]]:
    """(order, seconds since T0, quantity, price, liquidity)."""
    _, made, _ = play(rules, list(actions))
    return [(ident, ts - T0, qty, price, "maker" if maker else "taker") for ident, ts, qty, price, maker in made]


def words(rules: TickRules, ident: int, *actions: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """What the venue said of an order: (kind, time since T0, reason or quantity ...)."""
    told, _, _ = play(rules, list(actions))
    return [(kind, ts - T0, *rest) for kind, ts, *rest in told[ident]]


def test_market_order_takes_the_standing_quote_and_pays_the_spread() -> None:
    assert fills(QUOTES, q(0, 99, 101), send(0, 1), send(0, 2, side=-1)) == [
        (1, 0, 5, 101, "taker"),
        (2, 0, 5, 99, "taker"),
    ]


def test_displayed_size_is_taken_once_until_that_side_changes() -> None:
    seen = [q(0, 99, 101), send(0, 1, qty=25), q(1, 98, 101), q(2, 98, 101, 10, 8), q(3, 98, 102)]
    assert fills(QUOTES, *seen) == [(1, 0, 10, 101, "taker"), (1, 2, 8, 101, "taker"), (1, 3, 7, 102, "taker")]


def test_orders_share_what_is_shown_best_price_first_then_oldest() -> None:
    rules = TickRules(latency=0)
    seen = [q(0, 98, 105), send(1, 1, kind="limit", limit=102), send(1, 2, kind="limit", limit=103)]
    seen += [send(1, 3, kind="limit", limit=103), q(2, 98, 100, 10, 12)]
    assert fills(rules, *seen) == [(2, 2, 5, 103, "maker"), (3, 2, 5, 103, "maker"), (1, 2, 2, 102, "maker")]


def test_side_without_size_or_price_has_nothing_to_take() -> None:
    seen = [q(0, 99, 101, 10, 0), send(0, 1), q(1, 99, 0), q(2, 99, 101)]
    assert fills(QUOTES, *seen) == [(1, 2, 5, 101, "taker")]


def test_crossed_quote_fills_nothing_and_is_counted_and_a_locked_one_is_legal() -> None:
    seen = [q(0, 102, 101), send(0, 1), send(0, 2, kind="limit", limit=105), q(1, 101, 101)]
    assert fills(QUOTES, *seen) == [(1, 1, 5, 101, "taker"), (2, 1, 5, 105, "maker")]
    _, _, market = play(QUOTES, seen)
    assert market.crossed == 1


def test_limit_through_the_quote_on_arrival_takes_and_its_rest_takes_again() -> None:
    seen = [
        q(0, 99, 101),
        send(0, 1, kind="limit", limit=101, qty=15),
        q(1, 99, 101, 10, 4),
        q(2, 99, 103),
        q(3, 99, 100),
    ]
    assert fills(QUOTES, *seen) == [(1, 0, 10, 101, "taker"), (1, 1, 4, 101, "taker"), (1, 3, 1, 101, "maker")]


@pytest.mark.parametrize(("ask", "through", "touch"), [(101, 0, 0), (100, 0, 1), (99, 1, 1)])
def test_resting_limit_is_filled_when_the_quote_comes_through_or_touches(ask: int, through: int, touch: int) -> None:
    seen = [q(0, 98, 102), send(0, 1, kind="limit", limit=100), q(1, 98, ask)]
    assert fills(QUOTES, *seen) == [(1, 1, 5, 100, "maker")] * through
    assert fills(TickRules(touch=True), *seen) == [(1, 1, 5, 100, "maker")] * touch


@pytest.mark.parametrize(
    ("price", "aggressor", "filled"), [(99, -1, True), (99, 0, True), (99, 1, False), (100, -1, False)]
)
def test_resting_limit_is_filled_by_a_trade_through_it_from_the_other_side(
    price: int, aggressor: int, filled: bool
) -> None:
    seen = [q(0, 98, 102), send(0, 1, kind="limit", limit=100), t(1, price, 10, aggressor)]
    assert fills(BOTH, *seen) == ([(1, 1, 5, 100, "maker")] if filled else [])


def test_trade_is_shared_once_by_our_part_of_it() -> None:
    rules = TickRules(quotes=True, trades=True, share=(1, 2))
    seen = [q(0, 98, 102), send(0, 1, kind="limit", limit=99), send(0, 2, kind="limit", limit=100), t(1, 97, 15, -1)]
    assert fills(rules, *seen) == [(2, 1, 5, 100, "maker"), (1, 1, 2, 99, "maker")]


def test_market_order_without_quotes_takes_the_next_trade_as_far_as_our_part_reaches() -> None:
    rules = TickRules(quotes=False, trades=True, share=(1, 2), slip_bps=100)
    seen = [t(0, 100), send(0, 1, qty=7), t(1, 101), t(2, 103)]
    assert fills(rules, *seen) == [(1, 1, 5, 103, "taker"), (1, 2, 2, 105, "taker")]


def test_stop_watches_trades_where_there_are_any_and_takes_the_standing_quote() -> None:
    seen = [q(0, 99, 101), send(0, 1, side=-1, kind="stop", stop=95), q(1, 90, 92), t(2, 96), t(3, 94)]
    assert fills(BOTH, *seen) == [(1, 3, 5, 90, "taker")]


def test_stop_without_trades_watches_the_quote_it_would_take() -> None:
    seen = [q(0, 99, 101), send(0, 1, side=-1, kind="stop", stop=95), q(1, 96, 97), q(2, 94, 98)]
    assert fills(QUOTES, *seen) == [(1, 2, 5, 94, "taker")]
    assert [word[0] for word in words(QUOTES, 1, *seen)] == ["ACCEPT", "TRIGGER", "FILL"]


def test_stop_on_trades_alone_takes_the_trade_after_the_one_that_triggered_it() -> None:
    seen = [t(0, 100), send(0, 1, side=-1, kind="stop", stop=95), t(1, 94), t(2, 93)]
    assert fills(TRADES, *seen) == [(1, 2, 5, 93, "taker")]


def test_stop_limit_rests_after_its_trigger() -> None:
    seen = [q(0, 99, 101), send(0, 1, kind="stop_limit", stop=105, limit=103), q(1, 104, 106), q(2, 99, 102)]
    assert fills(QUOTES, *seen) == [(1, 2, 5, 103, "maker")]


def test_trailing_stop_follows_the_bid_and_never_back() -> None:
    seen = [
        q(0, 100, 101),
        send(0, 1, side=-1, kind="trailing", trail=3),
        q(1, 104, 105),
        q(2, 102, 103),
        q(3, 101, 102),
    ]
    assert fills(QUOTES, *seen) == [(1, 3, 5, 101, "taker")]


def test_trailing_stop_in_millionths_follows_trades_and_rounds_away_from_the_price() -> None:
    seen = [
        t(0, 100),
        send(0, 1, kind="trailing", trail=25_000, ppm=True),
        t(1, 100),
        t(2, 90),
        t(3, 92),
        t(4, 93),
        t(5, 94),
    ]
    assert fills(TRADES, *seen) == [(1, 5, 5, 94, "taker")]  # 90 + 2.25, up to 93: triggered by the trade at 93


@pytest.mark.parametrize(("tif", "filled"), [("IOC", [(1, 0, 10, 101, "taker")]), ("FOK", [])])
def test_ioc_and_fok_end_at_the_quote_that_stands_on_arrival(tif: str, filled: Any) -> None:
    seen = [q(0, 99, 101), send(0, 1, qty=11, tif=tif), q(1, 99, 101, 10, 50)]
    assert fills(QUOTES, *seen) == filled
    assert words(QUOTES, 1, *seen)[-1] == ("CANCEL", 0, "TIME_IN_FORCE")


def test_fok_fills_whole_where_all_of_it_is_shown() -> None:
    assert fills(QUOTES, q(0, 99, 101), send(0, 1, qty=10, tif="FOK")) == [(1, 0, 10, 101, "taker")]


def test_post_only_is_rejected_where_it_would_take_and_rests_where_not() -> None:
    crossing = send(0, 1, kind="limit", limit=101, post_only=True)
    assert words(QUOTES, 1, q(0, 99, 101), crossing)[-1] == ("REJECT", 0, "POST_ONLY")
    resting = send(0, 1, kind="limit", limit=100, post_only=True)
    assert fills(QUOTES, q(0, 99, 101), resting, q(1, 98, 99)) == [(1, 1, 5, 100, "maker")]


def test_reduce_only_is_cut_to_its_own_strategys_position() -> None:
    seen = [q(0, 99, 101, 50, 50), send(0, 1, qty=7), send(0, 2, qty=4, owner=1)]
    seen += [send(1, 3, side=-1, qty=20, reduce_only=True), send(2, 4, side=-1, reduce_only=True)]
    assert fills(QUOTES, *seen)[2:] == [(3, 1, 7, 99, "taker")]
    assert words(QUOTES, 3, *seen)[-1] == ("CANCEL", 1, "REDUCE_ONLY")
    assert words(QUOTES, 4, *seen)[-1] == ("CANCEL", 2, "REDUCE_ONLY")


def test_slippage_is_paid_on_top_of_the_spread_and_by_the_share_of_what_is_shown() -> None:
    rules = TickRules(slip_bps=100)
    venue = venue_for(rules, volume_impact=Decimal("0.1"))
    _, made, _ = play(rules, [q(0, 990, 1010), send(0, 1, qty=5)], venue)
    # 1010 x (1 % + 0.1 x (5/10) squared) = 35.35, up to 36
    assert [fill[3] for fill in made] == [1046]


def test_fill_reports_the_touch_as_its_reference_and_the_spread_of_its_quote() -> None:
    venue, told = venue_for(TickRules(slip_bps=100)), Told()
    venue.on_quote(0, T0, 99, 102, 10, 10)
    venue.send(request_for(1, T0, TickWish(side=1, qty=1)))
    told.hear(venue, T0 + 1)
    fill = told.reports[-1]
    assert (fill.price, fill.reference_price, fill.spread) == (104, 102, 3)


# ---- time


def test_entry_latency_alone_decides_which_quote_is_taken() -> None:
    rules = TickRules(latency=5)
    assert fills(rules, q(0, 99, 101), send(0, 1), q(4, 99, 103), q(6, 99, 105)) == [(1, 5, 5, 103, "taker")]


def test_acknowledgement_and_fill_latency_delay_the_words_and_change_no_fill() -> None:
    for latency, clocks in ((Latency(ack_ns=7), [7, 7]), (Latency(fill_ns=9), [0, 9])):
        venue, told = venue_for(QUOTES, latency=latency), Told()
        venue.on_quote(0, T0, 99, 101, 10, 10)
        venue.send(request_for(1, T0, TickWish(side=1, qty=5)))
        told.hear(venue, T0 + 20)
        assert [report.clock - T0 for report in told.reports] == clocks
        assert told.fills == [(1, 1, T0, 5, 101, False)]


def test_order_meets_no_event_from_before_its_arrival_even_if_told_of_it_later() -> None:
    venue, told = venue_for(TRADES), Told()
    venue.send(request_for(1, T0 + 10, TickWish(side=1, qty=5)))
    told.hear(venue, T0 + 10)
    venue.on_trade(0, T0 + 9, 100, 10, 0)
    told.hear(venue, T0 + 10)
    assert not told.fills
    venue.on_trade(0, T0 + 10, 101, 10, 0)
    told.hear(venue, T0 + 10)
    assert [fill[3:] for fill in told.fills] == [(5, 101, False)]


def test_order_sent_on_a_report_meets_the_next_event_and_not_the_one_of_its_instant() -> None:
    seen = [q(0, 99, 101), send(0, 1, late=True), q(0, 99, 102), q(1, 99, 103)]
    assert fills(QUOTES, *seen) == [(1, 1, 5, 103, "taker")]


def test_quote_event_brings_time_along_where_nobody_drained_the_queues() -> None:
    venue, told = venue_for(TickRules(latency=5)), Told()
    venue.on_quote(0, T0, 99, 101, 10, 10)
    venue.send(request_for(1, T0, TickWish(side=1, qty=5)))
    venue.on_quote(0, T0 + 8, 99, 105, 10, 10)
    told.hear(venue, T0 + 8)
    assert [fill[2:5] for fill in told.fills] == [(T0 + 5, 5, 101)]


def stock_venue() -> Any:
    """New York hours on T0's Monday and Tuesday: 13:30 to 20:00 UTC."""
    stock = Instrument(
        symbol="AAA", venue="X", asset_class=AssetClass.EQUITY, base_currency="AAA", quote_currency="USD",
        price_decimals=0, qty_decimals=0, session=XNYS,
    )  # fmt: skip
    return venue_for(QUOTES, instrument=stock, hours=XNYS.bounds(T0, T0 + 3 * DAY))


OPEN, CLOSE = 13 * HOUR + HOUR // 2, 20 * HOUR


def test_order_outside_the_session_is_rejected_and_a_day_order_ends_with_it() -> None:
    seen = [q(OPEN, 99, 101), send(OPEN - SECOND, 1), send(OPEN, 2, kind="limit", limit=90, tif="DAY")]
    seen.sort(key=lambda action: action[1])
    told, _, _ = play(QUOTES, seen, stock_venue())
    assert told[1] == [("REJECT", T0 + OPEN - SECOND, "OUTSIDE_HOURS")]
    assert told[2][-1] == ("EXPIRE", T0 + CLOSE, "TIME_IN_FORCE")


def test_day_order_is_found_expired_when_time_passes_without_an_event() -> None:
    venue, told = stock_venue(), Told()
    venue.on_quote(0, T0 + OPEN, 99, 101, 10, 10)
    venue.send(request_for(1, T0 + OPEN, TickWish(side=1, qty=5, kind="limit", limit=90, tif="DAY")))
    told.hear(venue, T0 + OPEN)
    assert venue.next_due == T0 + CLOSE
    told.hear(venue, T0 + CLOSE - 1)
    assert [word[0] for word in told.by_order[1]] == ["ACCEPT"]
    told.hear(venue, T0 + CLOSE)
    assert told.by_order[1][-1][0] == "EXPIRE"


def test_stop_gapped_over_at_night_fills_at_the_first_quote_of_the_next_session() -> None:
    seen = [q(OPEN, 99, 101), send(OPEN, 1, side=-1, kind="stop", stop=95), q(CLOSE + HOUR, 80, 81)]
    seen += [q(DAY + OPEN - SECOND, 85, 86), q(DAY + OPEN, 88, 89)]
    _, made, _ = play(QUOTES, seen, stock_venue())
    assert made == [(1, T0 + DAY + OPEN, 5, 88, False)]


def test_quote_of_yesterday_is_not_taken_this_morning() -> None:
    seen = [q(OPEN, 99, 101), send(DAY + OPEN, 1), q(DAY + OPEN + SECOND, 104, 105)]
    _, made, _ = play(QUOTES, seen, stock_venue())
    assert made == [(1, T0 + DAY + OPEN + SECOND, 5, 105, False)]


def test_split_restates_trail_stakes_and_forgets_the_quote() -> None:
    venue, told = venue_for(QUOTES), Told()
    venue.on_quote(0, T0, 100, 101, 50, 50)
    for ident, wish in enumerate(
        [
            TickWish(side=1, qty=10),
            TickWish(side=-1, qty=10, kind="trailing", trail=4, reduce_only=True),
            TickWish(side=-1, qty=10, kind="trailing", trail=40_000, ppm=True),
        ],
        1,
    ):
        venue.send(request_for(ident, T0, wish))
    told.hear(venue, T0)
    venue.on_split(0, T0 + 1, 2, 1)
    told.hear(venue, T0 + 1)
    assert [(r.qty, r.stop_price) for r in told.reports if r.order_id > 1][2:] == [(20, 2), (20, 40_000)]
    market = venue.markets[0]
    assert (market.bid, market.ask, market.net, market.stakes[0].net) == (0, 0, 20, 20)
    venue.on_quote(0, T0 + 2, 49, 50, 50, 50)
    told.hear(venue, T0 + 2)
    assert len(told.fills) == 1  # best 50: stops at 48
    venue.on_quote(0, T0 + 3, 48, 50, 15, 50)
    told.hear(venue, T0 + 3)
    assert [fill[1:] for fill in told.fills[1:]] == [(2, T0 + 3, 15, 48, False)]


@pytest.mark.parametrize(("limit", "rejected"), [(95, False), (94, True)])
def test_price_band_is_measured_from_the_middle_of_the_quote_until_there_is_a_trade(limit: int, rejected: bool) -> None:
    def told(*seen: tuple[Any, ...]) -> bool:
        venue = venue_for(BOTH, instrument=coin(price_band_bps=500))
        made, _, _ = play(BOTH, [*seen, send(2, 1, kind="limit", limit=limit)], venue)
        return any(word[-1] == "PRICE_BAND" for word in made[1])

    assert told(q(0, 99, 101)) == rejected
    assert not told(q(0, 0, 101))  # a side alone has no middle
    assert told(q(0, 99, 101), t(1, 200))
