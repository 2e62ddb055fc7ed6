"""The plainest indicators: one column of the bar, or a fixed number. They are what the others are made of.

`CrossOver(Close(), SMA(50))` reads the close; `SMA(20, of=Volume())` averages the volume.
"""

from typing import Any, SupportsFloat

import cython

from lockstep.features.base import Indicator
from lockstep.model.arguments import finite


@cython.final
@cython.cclass
class Close(Indicator):
    """The last bar's close; ready from the first bar on."""

    def __init__(self) -> None:
        Indicator.__init__(self, 1)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        self.count += 1
        self.value = close
        self.ready = True
        return 0

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """A price."""
        return price_factor


@cython.final
@cython.cclass
class High(Indicator):
    """The last bar's high; ready from the first bar on."""

    def __init__(self) -> None:
        Indicator.__init__(self, 1, uses_range=True)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        self.count += 1
        self.value = high
        self.ready = True
        return 0

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """A price."""
        return price_factor


@cython.final
@cython.cclass
class Low(Indicator):
    """The last bar's low; ready from the first bar on."""

    def __init__(self) -> None:
        Indicator.__init__(self, 1, uses_range=True)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        self.count += 1
        self.value = low
        self.ready = True
        return 0

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """A price."""
        return price_factor


@cython.final
@cython.cclass
class Volume(Indicator):
    """The last bar's volume; ready from the first bar on."""

    def __init__(self) -> None:
        Indicator.__init__(self, 1, uses_volume=True)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        self.count += 1
        self.value = volume
        self.ready = True
        return 0

    def unit(self, price_factor: float, volume_factor: float) -> float:
        """A volume."""
        return volume_factor


@cython.final
@cython.cclass
class Level(Indicator):
    """A fixed number, such as the 30 of an RSI. It is the user's own number, so a split does not rescale it.

    Raises: TypeError, ValueError: not a finite number.
    """

    level: cython.double

    def __init__(self, level: SupportsFloat) -> None:
        self.level = finite("level", level)
        Indicator.__init__(self, 1)

    def update_bar(
        self, high: cython.double, low: cython.double, close: cython.double, volume: cython.double
    ) -> cython.int:
        """Take one bar, unchecked; see `Indicator.update_bar`."""
        self.count += 1
        self.value = self.level
        self.ready = True
        return 0

    def _arguments(self) -> tuple[Any, ...]:
        return (self.level,)
