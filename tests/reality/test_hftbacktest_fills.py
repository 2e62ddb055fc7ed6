"""Against hftbacktest's fills of the same orders, which are kept here: the same, but for differences whose rule is known."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.fills.kept import KEPT, MODELS, RECORDINGS, model_text, read_kept
from benchmarks.fills.ours import backtest_fills, lanes_of, our_fills
from benchmarks.fills.page import PAGE, with_tables
from benchmarks.fills.rules import explained
from benchmarks.fills.schedule import Given, given

pytestmark = pytest.mark.data
UNEXPLAINED_MAX = 0.005
FEW = 700  # orders, of the first minute
COIN_M = RECORDINGS[2]


@pytest.fixture(scope="module")
def recorded(data: Path) -> Given:
    """Read once; orders are left as they are."""
    return given(data / f"crypto_l2/binance_{COIN_M}.raw.zst")


@pytest.mark.slow  # uncompiled
@pytest.mark.parametrize(("model", "power"), MODELS, ids=[model_text(*model) for model in MODELS])
def test_first_orders_are_filled_as_hftbacktest_does_but_for_known_rules(
    recorded: Given, model: str, power: float
) -> None:
    told = recorded
    kept = read_kept(COIN_M, model, power, told)
    few = told._replace(orders=told.orders[:FEW])
    found = our_fills(few, model, power)
    classes = explained(few, found, kept.outcome[:FEW], kept.stopped[:FEW], model, power)
    assert [classes.get(number, "") for number in range(FEW)] == kept.explained[:FEW]
    assert np.count_nonzero(found["filled"]) > FEW // 4


@pytest.mark.slow
@pytest.mark.parametrize(("stem", "model", "power"), [(stem, "power", 3.0) for stem in RECORDINGS])
def test_orders_of_whole_recordings_are_filled_as_hftbacktest_does(
    data: Path, stem: str, model: str, power: float
) -> None:
    told = given(data / f"crypto_l2/binance_{stem}.raw.zst")
    kept = read_kept(stem, model, power, told)
    found = our_fills(told, model, power)
    classes = explained(told, found, kept.outcome, kept.stopped, model, power)
    assert [classes.get(number, "") for number in range(len(found))] == kept.explained


def test_orders_alone_at_the_venue_are_filled_as_in_a_whole_backtest(recorded: Given) -> None:
    told = recorded
    lane = lanes_of(told.orders)[0]
    alone = our_fills(told, "power", 3.0, [lane])
    assert np.array_equal(backtest_fills(told, lane, "power", 3.0), alone)
    assert np.count_nonzero(alone["filled"]) > 10


def test_hardly_any_difference_that_is_kept_is_unexplained() -> None:
    for stem in RECORDINGS:
        for model, power in MODELS:
            names = read_kept(stem, model, power).explained
            assert len(names) > 4_000
            assert names.count("unexplained") <= UNEXPLAINED_MAX * len(names)
            assert names.count("") > 0.9 * len(names)


def test_page_and_kept_file_say_the_same() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page
    assert KEPT.stat().st_size < 200_000
