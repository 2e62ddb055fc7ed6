"""What every feature of the market's microstructure is: one number that each change of the book and each trade keeps up to date.

A `MarketFeatures` drives several: it owns the book, shows it to them at the end of each of the venue's changes, and the trades.
A feature's value is nan while it is not known: before the first full book, while the book is not GOOD, and until its span of time
has been seen without a break.
"""

import math
from collections.abc import Mapping
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.features.micro.depth import DepthView
else:
    from lockstep.features.micro.depth import DepthView
from lockstep.features.base import SCHEMA
from lockstep.model.arguments import finite
from lockstep.model.fields import field

NAN = math.nan


@cython.cclass
class MarketFeature:
    """The base of all features of books and trades. Use one of its kinds: Spread, WAP, Imbalance, OFI, TFI, KyleLambda ...

    Attributes (read-only): `value`: nan while it is not known. `levels`: of each side it reads. `on_trades`: whether trades move it.
    """

    value: cython.double
    levels: cython.Py_ssize_t
    on_trades: cython.bint

    def __init__(self, levels: int = 1, on_trades: bool = False) -> None:
        if type(self) is MarketFeature:
            raise TypeError("MarketFeature is the common base; construct Spread, WAP, OFI, TFI ... instead")
        self.levels = levels
        self.on_trades = on_trades
        self._clear()

    def on_book(self, view: DepthView) -> cython.int:
        """The book changed, or can no longer be trusted (`view.priced`). C callers see -1 on an error."""
        return 0

    def on_trade(self, view: DepthView) -> cython.int:
        """A public trade; called only where `on_trades`."""
        return 0

    @property
    def ready(self) -> bool:
        """Whether the value is known now."""
        return not math.isnan(self.value)

    def inputs(self) -> tuple["MarketFeature", ...]:
        """The features this one reads; they are updated before it."""
        return ()

    def reset(self) -> None:
        """Forget everything."""
        self._clear()

    def save(self) -> dict[str, Any]:
        """The whole state as plain JSON data; `restore` on an equal feature continues bit for bit."""
        return {
            "kind": type(self).__name__,
            "schema": SCHEMA,
            "params": repr(self),
            "value": self.value if self.ready else None,
            "state": self._state(),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned. On an error this feature is unchanged.

        Raises: ValueError, TypeError: another kind, other parameters, another schema version, or damaged data.
        """
        if not isinstance(saved, Mapping):
            raise TypeError(f"saved state must be a dict from save(), was {type(saved).__name__}")
        if field(saved, "schema") != SCHEMA:
            raise ValueError(f"saved state has schema version {saved['schema']!r}, this build reads {SCHEMA}")
        if field(saved, "kind") != type(self).__name__ or field(saved, "params") != repr(self):
            raise ValueError(f"saved state is of {field(saved, 'params')}, cannot restore it into {self!r}")
        value = field(saved, "value")
        number = NAN if value is None else finite("saved 'value'", value)
        state = field(saved, "state")
        if not isinstance(state, Mapping):
            raise TypeError(f"saved 'state' must be a dict, was {type(state).__name__}")
        self._load(state)
        self.value = number

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(repr(argument) for argument in self._arguments())})"

    # What a kind fills in. `_state` and `_load` cover its own fields only; `_load` reads all before it writes any.

    def _arguments(self) -> tuple[Any, ...]:
        return ()

    def _clear(self) -> None:
        self.value = NAN

    def _state(self) -> dict[str, Any]:
        return {}

    def _load(self, state: Mapping[str, Any]) -> None:
        pass


__all__ = ["NAN", "MarketFeature"]
