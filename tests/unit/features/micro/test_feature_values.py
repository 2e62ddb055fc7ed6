"""Every market feature on one small book, worked by hand."""

import json
import math
from typing import Any

import pytest
from book_rows import COIN as ORDERED_COIN
from book_rows import TICK, order_rows
from market_rows import COIN, MS, Change, Lost, Step, Took, held, records_of

from lockstep.book.l3 import L3Book
from lockstep.features.micro import (
    OFI,
    TFI,
    WAP,
    DepthMid,
    Gap,
    Imbalance,
    KyleLambda,
    Lagged,
    LinearPrediction,
    MarketFeature,
    MarketFeatures,
    Microprice,
    Mid,
    QueueDepletion,
    RealisedVolatility,
    SignRun,
    Spread,
    mlofi,
)
from lockstep.features.micro.batch import in_order, table
from lockstep.model.enums import BookAction, BookFault, BookState
from lockstep.model.errors import DataError
from lockstep.model.record import BOOK_FULL, BOOK_LAST

BOOK = Change(1_000, {1000: 30, 999: 50, 997: 20}, {1002: 10, 1003: 90}, full=True)
"""9.97 x 2, 9.99 x 5, 10.00 x 3 | 10.02 x 1, 10.03 x 9."""


def bad(value: Any) -> Any:
    """A value of another type than is asked for."""
    return value


def after(feature: MarketFeature, *steps: Step) -> float:
    """The feature's value after these."""
    driven = MarketFeatures(COIN, [feature])
    records = records_of(steps)
    driven.apply(held(records), 0, len(records))
    return feature.value


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        (Spread(), 0.02),
        (Mid(), 10.01),
        (WAP(), (10.00 * 1 + 10.02 * 3) / 4),
        (DepthMid(1), (10.00 * 1 + 10.02 * 3) / 4),
        # bids 8 at (30 + 49.95) / 8 = 9.99375, asks 10 at (10.02 + 90.27) / 10 = 10.029
        (DepthMid(2), (9.99375 * 10 + 10.029 * 8) / 18),
        (Imbalance(), 0.5),
        (Imbalance(2), (8 - 10) / 18),
        (Imbalance(9), (10 - 10) / 20),
        # a spread of two ticks: the second row; three quarters of the quantity are bid: the last of three parts
        (Microprice([[-9.0, 0.0, 9.0], [-1.0, 0.0, 1.5]]), 10.01 + 1.5 * 0.01),
        # a spread wider than any row takes the last one
        (Microprice([[-0.5, 0.25]]), 10.01 + 0.25 * 0.01),
        (Gap(WAP(), Mid()), ((10.00 * 1 + 10.02 * 3) / 4) / 10.01 - 1),
        (LinearPrediction([Spread(), Imbalance()], [10.0, -2.0], 0.5), 0.5 + 0.2 - 1.0),
    ],
    ids=repr,
)
def test_feature_of_the_standing_book_worked_by_hand(feature: MarketFeature, value: float) -> None:
    assert after(feature, BOOK) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "flow"),
    [
        (Change(1_050, {1000: 45}, {}), 1.5),  # 1.5 added to the bid
        (Change(1_050, {1000: 0}, {}), -3.0),  # the bid falls: what stood there is gone
        (Change(1_050, {1001: 20}, {}), 2.0),  # a better bid: all of it is new
        (Change(1_050, {}, {1002: 30}), -2.0),  # 2 added to the ask
        (Change(1_050, {}, {1002: 0}), 1.0),  # the ask rises: what stood there is gone
        (Change(1_050, {}, {1001: 70}), -7.0),  # a better ask
        (Change(1_050, {1000: 10}, {1001: 5, 1002: 0}), -2.0 - 0.5),
    ],
)
def test_order_flow_imbalance_of_each_kind_of_change(change: Change, flow: float) -> None:
    assert after(OFI(100), BOOK, change, Took(1_120, 1, 1)) == pytest.approx(flow)


def test_order_flow_imbalance_forgets_what_is_older_than_its_span() -> None:
    steps: list[Step] = [BOOK, Change(1_050, {1000: 45}, {}), Change(1_100, {1000: 60}, {})]
    assert math.isnan(after(OFI(100), *steps[:2], Took(1_099, 1, 1)))
    assert after(OFI(100), *steps) == 3.0
    assert after(OFI(100), *steps, Took(1_149, 1, 1)) == 3.0
    assert after(OFI(100), *steps, Took(1_150, 1, 1)) == 1.5  # clock - span is no longer inside
    assert after(OFI(100), *steps, Took(1_200, 1, 1)) == 0.0


def test_order_flow_imbalance_of_several_levels() -> None:
    levels = mlofi(10, 3)
    driven = MarketFeatures(COIN, levels)
    # bids were 10.00 x 3, 9.99 x 5, 9.97 x 2; they become 10.00 x 3, 9.98 x 4, 9.97 x 2. The third ask comes new.
    steps: list[Step] = [BOOK, Change(1_020, {999: 0, 998: 40}, {1009: 60})]
    records = records_of(steps)
    driven.apply(held(records), 0, len(records))
    assert driven.values == [0.0, -5.0, -6.0]
    assert [repr(level) for level in levels] == ["OFI(10, 1)", "OFI(10, 2)", "OFI(10, 3)"]


def test_trade_flow_imbalance_is_bought_less_sold_within_the_span() -> None:
    steps: list[Step] = [BOOK, Took(1_010, 1, 50), Took(1_060, -1, 20), Took(1_060, 0, 900)]
    assert after(TFI(100), *steps, Took(1_100, 1, 1)) == pytest.approx(5 - 2 + 0.1)
    assert after(TFI(100), *steps, Took(1_110, 1, 1)) == pytest.approx(-2 + 0.1)
    assert after(TFI(100), *steps, Change(1_300, {1000: 1}, {})) == 0.0


def test_run_of_trade_signs_counts_up_and_turns() -> None:
    assert math.isnan(after(SignRun(), BOOK))
    trades = [Took(1_001, 1, 5), Took(1_002, 1, 5), Took(1_003, 0, 5), Took(1_004, 1, 5)]
    assert after(SignRun(), BOOK, *trades) == 3.0
    assert after(SignRun(), BOOK, *trades, Took(1_005, -1, 5)) == -1.0


def test_kyle_lambda_is_the_slope_of_mid_changes_on_signed_volume() -> None:
    # Intervals of 100 ms from 1,000 on. Mids at their ends: 10.01 (1,000 to 1,100: begun in the middle of nothing, not counted),
    # then changes of 0.01, 0.02 and -0.03 with 1, 2 and -3 base units bought: a slope of 0.01.
    steps: list[Step] = [
        BOOK,
        Took(1_110, 1, 10), Change(1_120, {}, {1002: 0, 1004: 5, 1003: 0}),
        Took(1_210, 1, 30), Took(1_250, -1, 10), Change(1_260, {1004: 0, 1002: 10}, {1006: 8, 1004: 0}),
        Took(1_350, -1, 30), Change(1_360, {1002: 0, 1000: 0, 999: 0}, {1005: 3}),
    ]  # fmt: skip
    driven = MarketFeatures(COIN, [feature := KyleLambda(100, 3)])
    records = records_of(steps)
    driven.apply(held(records), 0, len(records))
    assert math.isnan(feature.value)
    mids = [10.01, 10.02, 10.04, (9.97 + 10.05) / 2]
    records = records_of([Took(1_400, 1, 1)])
    driven.apply(held(records), 0, 1)
    moves, flows = [b - a for a, b in zip(mids, mids[1:], strict=False)], [1.0, 2.0, -3.0]
    mean = sum(moves) / 3
    slope = (
        sum(x * (y - mean) for x, y in zip(flows, moves, strict=True)) / 14
    )  # the flows' mean is 0, their squares 14
    assert feature.value == pytest.approx(slope, rel=1e-9)
    assert slope == pytest.approx(0.01, rel=0.01)


def test_kyle_lambda_without_any_trade_is_unknown() -> None:
    assert math.isnan(after(KyleLambda(10, 3), BOOK, *(Change(1_000 + k, {1000: k}, {}) for k in range(1, 90))))


def test_realised_volatility_is_the_root_of_the_sum_of_squared_returns() -> None:
    steps: list[Step] = [BOOK, Change(1_110, {}, {1002: 0}), Change(1_290, {1001: 5}, {}), Change(1_500, {1001: 0}, {})]
    mids = [
        10.01,
        10.015,
        10.02,
        10.02,
        10.02,
    ]  # at 1,100, 1,200, 1,300, 1,400, 1,500: the last change is after the last end
    expected = math.sqrt(sum(math.log(b / a) ** 2 for a, b in zip(mids, mids[1:], strict=False)))
    assert after(RealisedVolatility(100, 4), *steps) == pytest.approx(expected, rel=1e-9)
    assert math.isnan(after(RealisedVolatility(100, 5), *steps))


@pytest.mark.parametrize(
    ("changes", "bid", "ask"),
    [
        ([Change(1_050, {1000: 10}, {})], 2 / (2 + 1), 0.0),  # 2 of 3 gone, 1 stands
        ([Change(1_050, {1000: 0}, {})], 3 / (3 + 5), 0.0),  # the best is gone, 5 stand behind it
        ([Change(1_050, {1001: 10}, {})], 0.0, 0.0),  # left behind by a better one
        ([Change(1_050, {}, {1002: 0}), Change(1_060, {}, {1003: 40})], 0.0, (1 + 5) / (1 + 5 + 4)),
        ([Change(1_050, {1000: 90}, {}), Change(1_051, {1000: 30}, {})], 6 / (6 + 3), 0.0),
    ],
)
def test_depletion_of_the_best_queues(changes: list[Change], bid: float, ask: float) -> None:
    steps: list[Step] = [BOOK, *changes, Took(1_100, 1, 1)]
    assert after(QueueDepletion(1, 100), *steps) == pytest.approx(bid)
    assert after(QueueDepletion(-1, 100), *steps) == pytest.approx(ask)


def test_lagged_feature_is_what_it_was_at_or_before_the_lag() -> None:
    steps: list[Step] = [BOOK, Change(1_150, {1001: 5}, {}), Change(1_150, {1001: 10}, {})]
    assert math.isnan(after(Lagged(Mid(), 200), *steps, Took(1_199, 1, 1)))
    assert after(Lagged(Mid(), 200), *steps, Took(1_200, 1, 1)) == 10.01
    assert after(Lagged(Mid(), 200), *steps, Took(1_349, 1, 1)) == 10.01
    assert after(Lagged(Mid(), 200), *steps, Took(1_350, 1, 1)) == 10.015
    assert after(Lagged(WAP(), 200), *steps, Took(1_350, 1, 1)) == pytest.approx((10.01 * 1 + 10.02 * 1) / 2)


def test_prediction_gives_a_signal_beyond_its_threshold_alone() -> None:
    for weight, signal in ((1.0, 1), (-1.0, -1), (0.8, 0), (-0.8, 0)):
        prediction = LinearPrediction([Imbalance()], [weight], 0.0, threshold=0.4)
        after(prediction, BOOK)
        assert prediction.signal == signal, weight
    prediction = LinearPrediction([Imbalance()], [1.0], 0.0, threshold=0.4)
    assert math.isnan(after(prediction, BOOK, Lost(1_001)))
    assert prediction.signal == 0


@pytest.mark.parametrize(
    "lost", [Lost(1_200), Change(1_200, {1005: 5}, {}), Change(1_200, {1000: 0, 999: 0, 997: 0}, {})]
)
def test_book_that_broke_begins_every_span_anew(lost: Step) -> None:
    """A gap, a crossed book, an empty side: no number until a full book came and its whole span was seen since."""
    flow = OFI(100)
    wap = WAP()
    driven = MarketFeatures(COIN, [flow, wap])

    def values(*steps: Step) -> list[float]:
        records = records_of(steps)
        driven.apply(held(records), 0, len(records))
        return driven.values

    assert values(BOOK, Change(1_150, {1000: 31}, {})) == [pytest.approx(0.1), pytest.approx(10.015122)]
    assert all(math.isnan(value) for value in values(lost))
    if not isinstance(lost, Change) or lost.bids.get(1000) != 0:
        assert all(math.isnan(value) for value in values(Change(1_201, {1005: 0}, {})))  # changes do not mend it
    ofi, mended = values(BOOK._replace(ms=1_300))
    assert math.isnan(ofi)
    assert mended == pytest.approx(10.015)
    assert math.isnan(values(Change(1_399, {1000: 40}, {}))[0])
    assert values(Took(1_400, 1, 1))[0] == pytest.approx(1.0)


@pytest.mark.parametrize("told_before", [BookState.AUCTION, None])
def test_book_of_single_orders_is_read_by_level_and_an_auction_told_before_it_stays_one(told_before: Any) -> None:
    steps = [
        *([] if told_before is None else [(BookAction.STATUS, 0, told_before, BookFault.NONE, 0, 0)]),
        (BookAction.CLEAR, 0, 0, 0, 0, BOOK_FULL),
        (BookAction.ADD, 1, 40 * TICK, 2_000, 1, BOOK_FULL),
        (BookAction.ADD, 1, 40 * TICK, 1_000, 2, BOOK_FULL),
        (BookAction.ADD, -1, 42 * TICK, 1_000, 3, BOOK_FULL | BOOK_LAST),
    ]
    driven = MarketFeatures(ORDERED_COIN, [Mid(), Imbalance()])
    rows = order_rows(*steps)
    for i in range(len(steps)):
        driven.take_book(rows, i)
    assert isinstance(driven.book, L3Book)
    if told_before is None:
        assert driven.values == [10.25, 0.5]
    else:
        assert all(math.isnan(value) for value in driven.values)
    again = MarketFeatures(ORDERED_COIN, [Mid(), Imbalance()])
    again.restore(json.loads(json.dumps(driven.save())))
    for features in (driven, again):
        features.apply(order_rows((BookAction.DELETE, 1, 40 * TICK, 0, 1, BOOK_LAST)), 0, 1)
    assert again.save() == driven.save()


def test_table_has_a_row_for_each_complete_change_and_each_trade() -> None:
    steps: list[Step] = [BOOK, Took(1_001, 1, 5), Change(1_002, {1001: 1, 999: 0}, {1003: 5}), Lost(1_003)]
    records = records_of(steps)
    found = table(MarketFeatures(COIN, [Mid(), TFI(1)]), records)
    assert found.names == ["Mid()", "TFI(1)"]
    assert found.clock.tolist() == [ms * MS for ms in (1_000, 1_001, 1_002, 1_003)]
    assert [int(records["kind"][row]) for row in found.row] == [int(records["kind"][k]) for k in (0, 6, 7, -1)]
    assert found.values[:3, 0].tolist() == [10.01, 10.01, 10.015]
    assert math.isnan(found.values[3, 0])


def test_histories_are_put_in_order_with_the_book_before_trades_of_one_time() -> None:
    book, trades = records_of([BOOK, Change(1_005, {1001: 1}, {})]), records_of([Took(1_000, 1, 5), Took(1_005, 1, 5)])
    kinds = in_order(trades, book)["kind"].tolist()
    assert kinds == in_order(book, trades)["kind"].tolist()
    assert kinds == [book["kind"][0]] * 6 + [trades["kind"][0]] + [book["kind"][0]] + [trades["kind"][0]]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: OFI(0), ValueError, "span_ms must be from 1 to 86400000, was 0"),
        (lambda: OFI(bad(1.5)), TypeError, "span_ms must be a whole number"),
        (lambda: OFI(10, 51), ValueError, "level must be from 1 to 50"),
        (lambda: Imbalance(0), ValueError, "levels must be from 1 to 50"),
        (lambda: QueueDepletion(0), ValueError, "side must be 1"),
        (lambda: KyleLambda(10, 2), ValueError, "intervals must be from 3"),
        (lambda: Microprice([]), ValueError, "rows of one length"),
        (lambda: Microprice([[0.0], [0.0, 1.0]]), ValueError, "rows of one length"),
        (lambda: Microprice([[math.nan]]), ValueError, "must be finite"),
        (lambda: Lagged(bad(3.0), 10), TypeError, "market feature|MarketFeature"),
        (lambda: LinearPrediction([Mid()], []), ValueError, "one weight for each feature"),
        (lambda: LinearPrediction([Mid()], [1.0], threshold=-1.0), ValueError, "threshold must be 0 or more"),
        (lambda: MarketFeatures(COIN, [bad(Mid)]), TypeError, "must be a market feature"),
        (MarketFeature, TypeError, "common base"),
    ],
)
def test_feature_that_cannot_be_is_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_records_that_go_back_in_time_or_are_none_are_refused() -> None:
    driven = MarketFeatures(COIN, [Mid()])
    back = records_of([BOOK, Took(999, 1, 1)])
    with pytest.raises(ValueError, match="goes back in time"):
        driven.apply(held(back), 0, len(back))
    with pytest.raises(IndexError):
        driven.apply(held(back), 0, len(back) + 1)
    with pytest.raises(DataError, match="not contiguous market event records"):
        table(driven, back[::2])


def test_saved_state_of_other_features_or_damaged_is_refused_and_leaves_nothing_known() -> None:
    driven = MarketFeatures(COIN, [OFI(10), Mid()])
    records = records_of([BOOK, Change(1_050, {1000: 31}, {})])
    driven.apply(held(records), 0, len(records))
    saved = driven.save()
    with pytest.raises(ValueError, match="cannot restore"):
        MarketFeatures(COIN, [OFI(11), Mid()]).restore(saved)
    with pytest.raises(ValueError, match="list of 1"):
        MarketFeatures(COIN, [OFI(10)]).restore(saved)
    with pytest.raises(ValueError, match="lacks 'bids'"):
        driven.restore({**saved, "book": _without(saved, "bids")})
    assert all(math.isnan(value) for value in driven.values)


def _without(saved: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in saved["book"].items() if name != key}
