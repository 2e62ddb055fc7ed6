"""Market features over generated books and trades (no market is meant by them) are what their definitions say, and know no future."""

import json
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import slow_features as slow
from hypothesis import given, settings
from hypothesis import strategies as st
from market_rows import COIN, Change, Lost, Step, Took, held, records_of

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
)
from lockstep.features.micro.batch import table

KINDS: dict[str, tuple[Callable[[], MarketFeature], Callable[[slow.Past], float]]] = {
    "spread": (Spread, slow.spread),
    "mid": (Mid, slow.mid),
    "wap": (WAP, lambda past: slow.depth_mid(past, 1)),
    "depth_mid": (lambda: DepthMid(3), lambda past: slow.depth_mid(past, 3)),
    "imbalance": (Imbalance, lambda past: slow.imbalance(past, 1)),
    "imbalance_of_4": (lambda: Imbalance(4), lambda past: slow.imbalance(past, 4)),
    "ofi": (lambda: OFI(30), lambda past: slow.ofi(past, 30)),
    "ofi_of_level_3": (lambda: OFI(30, 3), lambda past: slow.ofi(past, 30, 3)),
    "tfi": (lambda: TFI(20), lambda past: slow.tfi(past, 20)),
    "sign_run": (SignRun, slow.sign_run),
    "bid_depletion": (lambda: QueueDepletion(1, 25), lambda past: slow.depletion(past, 1, 25)),
    "ask_depletion": (lambda: QueueDepletion(-1, 25), lambda past: slow.depletion(past, -1, 25)),
    "kyle": (lambda: KyleLambda(10, 3), lambda past: slow.kyle(past, 10, 3)),
    "volatility": (lambda: RealisedVolatility(10, 3), lambda past: slow.volatility(past, 10, 3)),
    "lagged": (lambda: Lagged(Mid(), 15), lambda past: slow.lagged_mid(past, 15)),
}
CENTRE = 1_000


def everything() -> list[MarketFeature]:
    mid, wap, flow = Mid(), WAP(), OFI(30)
    made = [make() for make, _ in KINDS.values()]
    gap = Gap(wap, mid)
    prediction = LinearPrediction([gap, flow], [100.0, -0.25], 0.5, 0.1)
    return [*made, gap, prediction, Lagged(prediction, 5), Microprice([[-0.5, 0.0, 0.5], [-1.0, 0.25, 1.0]])]


@st.composite
def markets(draw: st.DrawFn, most: int = 30) -> list[Step]:
    """Changes within a few cents of a centre that hardly cross, gaps, full books, and trades; several at one time among them."""
    qty = st.sampled_from([0, 1, 2, 5, 9])
    ms, steps = 1_000, [Change(1_000, {CENTRE: 5, CENTRE - 2: 3}, {CENTRE + 1: 4, CENTRE + 2: 7}, full=True)]
    found: list[Step] = list(steps)
    for _ in range(draw(st.integers(1, most))):
        ms += draw(st.sampled_from([0, 0, 1, 3, 7, 12, 45]))
        kind = draw(st.sampled_from(["change"] * 5 + ["trade"] * 3 + ["full", "lost"]))
        if kind == "trade":
            found.append(Took(ms, draw(st.integers(-1, 1)), draw(st.integers(1, 9))))
        elif kind == "lost":
            found.append(Lost(ms))
        else:
            full = kind == "full"
            shift = draw(st.sampled_from([0, 0, 0, -1, 1, 2]))
            sizes = qty.filter(bool) if full else qty
            below = st.integers(CENTRE + shift - 6, CENTRE + shift)
            bids = draw(st.dictionaries(below, sizes, min_size=1, max_size=4))
            above = st.integers(CENTRE + 1, CENTRE + 7)
            asks = draw(st.dictionaries(above, sizes, min_size=1, max_size=4))
            found.append(Change(ms, bids, asks, full))
    return found


def same(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(steps=markets())
def test_feature_is_what_its_definition_says_of_the_whole_past(kind: str, steps: list[Step]) -> None:
    make, twin = KINDS[kind]
    feature = make()
    driven = MarketFeatures(COIN, [feature])
    for k, step in enumerate(steps):
        records = records_of([step])
        driven.apply(held(records), 0, len(records))
        expected = twin(slow.Past(steps[: k + 1]))
        assert same(feature.value, expected), f"{kind} after {step}: {feature.value}, not {expected}"


@settings(max_examples=25)
@given(steps=markets(), cut=st.integers(0, 200))
def test_batch_has_the_bits_of_streaming_and_of_a_run_in_two_parts(steps: list[Step], cut: int) -> None:
    records = records_of(steps)
    whole = table(MarketFeatures(COIN, everything()), records)
    rows, driven = held(records), MarketFeatures(COIN, everything())
    streamed = [driven.values for i in range(len(records)) if driven.apply(rows, i, i + 1)]
    assert whole.values.tobytes() == np.array(streamed, dtype=np.float64).tobytes()
    cut = min(cut, len(records))
    parts = MarketFeatures(COIN, everything())
    halves = [table(parts, records[:cut]), table(parts, records[cut:])]
    assert np.concatenate([half.values for half in halves]).tobytes() == whole.values.tobytes()
    assert [*halves[0].row, *(halves[1].row + cut)] == whole.row.tolist()


@settings(max_examples=25)
@given(steps=markets(), other=markets(), cut=st.integers(1, 40))
def test_what_comes_later_changes_no_earlier_value(steps: list[Step], other: list[Step], cut: int) -> None:
    begin = steps[:cut]
    later = [step._replace(ms=step.ms + begin[-1].ms) for step in other]
    one, two = (
        table(MarketFeatures(COIN, everything()), records_of(tail))
        for tail in ([*begin, *steps[cut:]], [*begin, *later])
    )
    assert one.values[: len(begin)].tobytes() == two.values[: len(begin)].tobytes()
    assert min(len(one.values), len(two.values)) >= len(begin)


@settings(max_examples=25)
@given(steps=markets(), cut=st.integers(1, 40))
def test_saved_features_go_on_bit_for_bit(steps: list[Step], cut: int) -> None:
    first, second, whole = (MarketFeatures(COIN, everything()) for _ in range(3))
    table(first, records_of(steps[:cut]))
    table(second, records_of(steps[::-1][-1:]))  # a state of its own, to be replaced
    second.restore(json.loads(json.dumps(first.save(), allow_nan=False)))
    assert second.save() == first.save()
    resumed = table(second, records_of(steps[cut:])) if steps[cut:] else None
    complete = table(whole, records_of(steps))
    if resumed is not None:
        assert resumed.values.tobytes() == complete.values[-len(resumed.values) :].tobytes()
        assert second.save() == whole.save()


@settings(max_examples=40)
@given(steps=markets())
def test_reset_features_are_as_new(steps: list[Step]) -> None:
    used, fresh = MarketFeatures(COIN, everything()), MarketFeatures(COIN, everything())
    table(used, records_of(steps))
    used.reset()
    assert used.save() == fresh.save()
    assert table(used, records_of(steps)).values.tobytes() == table(fresh, records_of(steps)).values.tobytes()


@settings(max_examples=25)
@given(steps=markets())
def test_book_that_is_not_good_gives_no_number(steps: list[Step]) -> None:
    driven = MarketFeatures(COIN, everything())
    of_trades = {"tfi", "sign_run"}
    for step in steps:
        records = records_of([step])
        driven.apply(held(records), 0, len(records))
        if not driven.book.is_good:
            values = dict(zip(KINDS, driven.values, strict=False))
            assert all(math.isnan(value) for kind, value in values.items() if kind not in of_trades)
            assert all(math.isnan(value) for value in driven.values[len(KINDS) :])


def test_generated_markets_are_good_and_broken_in_turn() -> None:
    """The properties above would say nothing of a generator whose books are never, or always, to be trusted."""
    seen: list[bool] = []

    @settings(max_examples=100, database=None, derandomize=True)
    @given(steps=markets())
    def look(steps: list[Step]) -> None:
        seen.extend(book is not None for book in slow.Past(steps).books)

    look()
    assert 0.3 < sum(seen) / len(seen) < 0.95
    assert sum(a and not b for a, b in pairwise(seen)) > 30
