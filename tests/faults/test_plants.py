"""The simulator can fail: each planted fault of ours is found within a stated number of steps."""

import pytest
from plants import PLANTS
from script import make_script
from simulate import run_script

SEEDS = range(1, 31)
STEPS = 1500
STEPS_MAX = 40_000


@pytest.mark.slow  # uncompiled: a second or two compiled
@pytest.mark.parametrize("name", PLANTS)
def test_planted_fault_is_found_within_forty_thousand_steps(name: str) -> None:
    steps, found = 0, ""
    with PLANTS[name]():
        for seed in SEEDS:
            result = run_script(make_script(seed, STEPS))
            steps, found = steps + result.steps, result.number
            if found or steps >= STEPS_MAX:
                break
    assert found, f"{name} was not found in {steps:,} steps"
