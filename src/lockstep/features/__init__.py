"""Indicators: values that compiled code keeps up to date, one bar at a time. Streaming and batch give the same bits.

`SMA EMA RSI ATR Highest Lowest CrossOver` over `Close High Low Volume Level`; `IndicatorSet` and `resolve` drive
several of them; `batch.column` runs one over whole columns; `series` has the plain statistics. Importing this package
does not import numpy.
"""

from lockstep.features.averages import EMA, SMA
from lockstep.features.base import Indicator
from lockstep.features.crossing import CrossOver
from lockstep.features.oscillators import RSI
from lockstep.features.ranges import ATR, Highest, Lowest
from lockstep.features.schedule import IndicatorSet, resolve
from lockstep.features.series import average, sliding_window, std_dev
from lockstep.features.sources import Close, High, Level, Low, Volume

__all__ = [
    "ATR",
    "EMA",
    "RSI",
    "SMA",
    "Close",
    "CrossOver",
    "High",
    "Highest",
    "Indicator",
    "IndicatorSet",
    "Level",
    "Low",
    "Lowest",
    "Volume",
    "average",
    "resolve",
    "sliding_window",
    "std_dev",
]
