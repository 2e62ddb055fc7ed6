"""The seeded stream of draws, against SplitMix64 as published."""

from hypothesis import given
from hypothesis import strategies as st

from lockstep.sim.chance import Chance

MASK = 2**64 - 1


def reference(seed: int, draws: int) -> list[int]:
    """SplitMix64 by Sebastiano Vigna (public domain), in plain Python."""
    state, out = seed & MASK, []
    for _ in range(draws):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out.append(z ^ (z >> 31))
    return out


def test_known_answer_of_the_published_generator() -> None:
    """First outputs for seed 1234567, as Vigna's splitmix64.c and its ports give them."""
    assert reference(1234567, 2) == [6457827717110365317, 3203168211198807973]


@given(st.integers(0, MASK), st.integers(2, 2**62))
def test_draws_are_those_of_the_reference_compiled_and_not(seed: int, width: int) -> None:
    chance = Chance(seed)
    assert [chance.uniform(width) for _ in range(5)] == [value % width for value in reference(seed, 5)]


@given(st.integers(0, MASK), st.integers(-5, 1))
def test_width_below_two_draws_nothing(seed: int, width: int) -> None:
    chance = Chance(seed)
    assert chance.uniform(width) == 0
    assert chance.save() == seed


def test_restored_stream_goes_on() -> None:
    first, second = Chance(42), Chance(0)
    first.uniform(1000)
    second.restore(first.save())
    assert [first.uniform(10**9) for _ in range(3)] == [second.uniform(10**9) for _ in range(3)]
