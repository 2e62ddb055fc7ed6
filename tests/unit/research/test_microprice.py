"""The micro-price table: what chains with a known answer give, and its symmetry."""

import numpy as np
import pytest

from lockstep.model.errors import UsageError
from lockstep.research.microprice import fit_microprice

NAN = float("nan")


def test_mid_that_always_follows_the_heavier_side_by_a_tick() -> None:
    # Heavy bid, then up a tick; heavy ask, then down a tick; and after a move each is as likely as the other: the sum is the first move.
    imbalance = np.array([0.5, -0.5, -0.5, 0.5, 0.5, -0.5, -0.5, 0.5, 0.5])
    mid = np.asarray(100.0 + 0.01 * np.cumsum(np.concatenate([[0], np.sign(imbalance[:-1])])), np.float64)
    table = fit_microprice(mid, np.full(9, 0.01), imbalance, 0.01, buckets=2, spreads=1)
    assert table == [[pytest.approx(-1.0), pytest.approx(1.0)]]


def test_state_that_waits_before_it_moves_is_worth_the_move_it_waits_for() -> None:
    # A balanced book becomes a heavy bid, stays so for a change, and then the mid rises by half a tick to a balanced book, which with
    # its mirror image is worth nothing: the heavy bid is worth half a tick however long it waits.
    imbalance = np.array([0.0, 0.9, 0.9] * 5 + [0.0])
    mid = np.asarray(50.0 + 0.05 * np.repeat(np.arange(6), 3)[:16], np.float64)
    table = fit_microprice(mid, np.full(16, 0.1), imbalance, 0.1, buckets=3, spreads=1)[0]
    assert table == [pytest.approx(-0.5), pytest.approx(0.0), pytest.approx(0.5)]


def test_table_is_antisymmetric_and_rises_with_the_share_of_the_bid() -> None:
    turn = np.arange(4_000.0)
    imbalance = 0.95 * np.sin(turn * 0.7)
    later = np.concatenate([[0.0], (np.abs(imbalance[:-1]) > 0.5) * np.sign(imbalance[:-1])])
    mid = np.asarray(100.0 + 0.05 * np.cumsum(later), np.float64)
    table = fit_microprice(mid, np.full(4_000, 0.1), imbalance, 0.1, buckets=6, spreads=1)[0]
    assert table == pytest.approx([-entry for entry in reversed(table)])


def test_steps_over_a_broken_book_count_for_nothing() -> None:
    mid = np.array([10.0, 10.0, NAN, 20.0, 20.0])
    table = fit_microprice(mid, np.full(5, 0.01), np.array([0.5, 0.5, NAN, 0.5, 0.5]), 0.01, buckets=2, spreads=2)
    assert table == [[0.0, 0.0], [0.0, 0.0]]


def test_columns_that_say_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="no two changes"):
        fit_microprice(np.array([1.0, NAN]), np.array([1.0, NAN]), np.array([1.0, NAN]), 0.01)
    with pytest.raises(UsageError, match="columns of one length"):
        fit_microprice(np.ones(3), np.ones(2), np.ones(3), 0.01)
    with pytest.raises(UsageError, match="2 buckets"):
        fit_microprice(np.ones(3), np.ones(3), np.ones(3), 0.01, buckets=1)
