"""The same source, compiled and uncompiled: the same bits and the same saved state, on real bars."""

import os
import subprocess
import sys

import pytest

from lockstep.features import base

DIGEST = """
import hashlib, json
from backtesting.test import GOOG
from lockstep.book import MarketWindow
from lockstep.features import ATR, EMA, RSI, SMA, Close, CrossOver, Highest, IndicatorSet, Lowest, Volume
driven = IndicatorSet([CrossOver(EMA(10), EMA(20)), CrossOver(Close(), SMA(50)), CrossOver(RSI(14), 30), ATR(14),
                       Highest(20), Lowest(20), SMA(20, of=Volume()), EMA(5, of=RSI(7))])
window, seen = MarketWindow(100), hashlib.sha256()
for i, row in enumerate(GOOG.itertuples(index=False)):
    if i == 1000:
        driven.rescale(1 / 3, 3.0)
        window.rescale(1 / 3, 3.0)
    driven.push(row.Close, row.High, row.Low, row.Volume)
    window.push(i, row.Open, row.High, row.Low, row.Close, row.Volume)
    answers = [x.value.hex() for x in driven]
    if i >= 40:
        answers += [window.high(30).hex(), window.low(7).hex(), window.avg_volume(30).hex(), window.avg_close(9).hex()]
    seen.update(repr(answers).encode())
seen.update(json.dumps(driven.save(), sort_keys=True).encode() + window.snapshot())
print(seen.hexdigest())
"""


def digest(pure: str) -> str:
    environment = {**os.environ, "LOCKSTEP_PURE": pure}
    done = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_indicators_and_window_have_the_same_bits_compiled_and_pure() -> None:
    pytest.importorskip("backtesting", reason="the test dependency `backtesting` is absent")
    if base.__file__.endswith(".py"):
        pytest.skip("the package runs uncompiled here, so there is nothing to compare with")
    assert len(digest("0")) == 65
    assert digest("0") == digest("1")
