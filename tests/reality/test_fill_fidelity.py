"""Fill fidelity on the recordings: the guide's tables come out again, and the fast pass says what the whole simulator says."""

import os
from pathlib import Path

import numpy as np
import pytest
from replayed_orders import replay

from lockstep.research.fidelity.report import Followed, fidelity, followed, read_tapes
from lockstep.research.fidelity.study import NEVER, ORDERS, REBUILDS, TOUCH, Rival, follow_all, queue
from lockstep.research.fidelity.tape import Tape, tape_of
from lockstep.research.fidelity.text import markdown
from lockstep.store.catalog.readers import read_market_data

pytestmark = pytest.mark.data
GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/fill-fidelity.md"
FILES = {
    "ESH4": "l3/esh4-glbx-mdp3-20231225.mbo.dbn.zst",
    "AMZN": "l3/lobster_AMZN_2012-06-21_34200000_57600000_message_1.csv.gz",
    "BTCUSD": "l3/bitstamp_btcusd_20150501_live_orders.log.xz",
}
SLICE = 20_000  # changes of the book of ES: its snapshot, the auction, and the first three minutes
MODELS = {
    "pessimistic": Rival("pessimistic", queue("pessimistic")),
    "power:2": Rival("power:2", queue("power", 2.0)),
    "log": Rival("log", queue("log")),
    "rebuilt": Rival("rebuilt", queue("rebuilt"), REBUILDS),
    "exact": Rival("exact", queue("exact"), ORDERS),
}

EXPECTED_FATES = {"filled": 648, "partial": 5, "cancelled": 1602}
EXPECTED_WRONG = {
    NEVER: (0, 648), TOUCH: (227, 0), "pessimistic": (0, 64), "power:2": (15, 18), "log": (29, 7), "rebuilt": (3, 40),
}  # fmt: skip


@pytest.fixture(scope="module")
def es_slice(data: Path) -> Followed:
    pytest.importorskip("zstandard", reason="DBN files are compressed with zstd: pip install 'lockstep-trading[books]'")
    found = {one.info.kind: one for one in read_market_data(data / FILES["ESH4"], kind="depth")}
    books, trades = (np.concatenate(list(found[kind].chunks())) for kind in ("book", "trade"))
    books = books[:SLICE]
    return followed(tape_of(found["book"].instrument, books, trades[trades["clock"] <= books["clock"][-1]]))


@pytest.fixture(scope="module", params=FILES)
def tape(request: pytest.FixtureRequest, data: Path) -> Tape:
    if request.param == "ESH4":
        pytest.importorskip(
            "zstandard", reason="DBN files are compressed with zstd: pip install 'lockstep-trading[books]'"
        )
    (found,) = read_tapes(data / FILES[request.param])
    return found


def traded_at(on: Followed) -> list[int]:
    """The orders at whose price or beyond something traded: others are easy."""
    return np.flatnonzero(follow_all(on.tape, on.orders, on.courses, Rival(TOUCH, None)).filled).tolist()


def wrong(on: Followed, rival: Rival) -> tuple[int, int]:
    """Fills in full that a model says and that did not happen, and fills that it misses."""
    real = on.facts.fate == "filled"
    said = follow_all(on.tape, on.orders, on.courses, rival).filled > 0
    return int((said & ~real).sum()), int((real & ~said).sum())


def differences(on: Followed, chosen: list[int], rival: Rival) -> list[tuple[int, tuple[int, int], tuple[int, int]]]:
    """Where the whole simulator and the fast pass differ: the order, and of both what is left and when it was filled."""
    orders, courses = [on.orders[k] for k in chosen], [on.courses[k] for k in chosen]
    fast = follow_all(on.tape, orders, courses, rival)
    found = []
    for k, (order, course) in enumerate(zip(orders, courses, strict=True)):
        slow = replay(on.tape, order, course, rival)
        quick = (int(fast.left[k]), int(fast.filled[k]))
        if fast.late[k] > 0:  # followed beyond the order's end, to see how late it is: what was left then is not kept
            quick = (slow[0] or -1, 0)
        if slow != quick:
            found.append((order.order_id, quick, slow))
    return found


def test_exact_queue_is_right_about_every_order_of_the_slice(es_slice: Followed) -> None:
    fates = {fate: int((es_slice.facts.fate == fate).sum()) for fate in EXPECTED_FATES}
    assert fates == EXPECTED_FATES
    assert wrong(es_slice, MODELS["exact"]) == (0, 0)


@pytest.mark.parametrize(("name", "expected"), EXPECTED_WRONG.items())
def test_models_are_wrong_about_so_many_orders_of_the_slice(
    es_slice: Followed, name: str, expected: tuple[int, int]
) -> None:
    rival = {NEVER: Rival(NEVER, None), TOUCH: Rival(TOUCH, None), **MODELS}[name]
    assert wrong(es_slice, rival) == expected


@pytest.mark.parametrize("name", MODELS)
def test_fast_pass_says_what_the_whole_simulator_says_of_the_slice(es_slice: Followed, name: str) -> None:
    chosen = traded_at(es_slice)
    assert differences(es_slice, chosen[:: len(chosen) // 12], MODELS[name]) == []


@pytest.mark.slow
def test_tables_of_the_guide_come_out_again(tape: Tape) -> None:
    assert markdown(fidelity(tape)) in GUIDE.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS if os.environ.get("LOCKSTEP_EXHAUSTIVE") else ["power:2", "exact"])
def test_fast_pass_says_what_the_whole_simulator_says_of_two_hundred_orders(tape: Tape, name: str) -> None:
    rival, symbol = MODELS[name], tape.instrument.symbol
    on = followed(tape)
    if symbol == "AMZN" and rival.by == ORDERS:
        pytest.skip("a book of single orders cannot stand on a file that tells the best level alone")
    chosen = traded_at(on)
    found = differences(on, chosen[:: max(1, len(chosen) // 200)][:200], rival)
    if symbol == "BTCUSD":  # the other side of the book comes to our price before the trade is told
        found = [one for one in found if one[1][0] != one[2][0] or not 0 < one[1][1] - one[2][1] <= 200_000_000]
    assert found == []
