"""What a run is about: which strategies, each with its parameters, on which symbols and bars."""

from collections.abc import Mapping, Sequence
from typing import Any

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.timeframe import timeframe_ns
from lockstep.run.strategy_file import StrategyFile


class StrategyPlan:
    """One strategy of a run.

    Args:   strategy: the loaded file. params: its parameters. symbols: the instruments it sees, None for all of the
            run. timeframe: the bars it gets, such as "5m"; None for the data's own. name: how it is called, by default
            its class.
    Raises: UsageError: no length of bars. StrategyError: parameters that do not fit.
    """

    def __init__(
        self,
        strategy: StrategyFile,
        params: Mapping[str, Any] | None = None,
        *,
        symbols: Sequence[str] | None = None,
        timeframe: str | None = None,
        name: str | None = None,
    ) -> None:
        self.strategy = strategy
        self.params = dict(params or {})
        self.all_params = strategy.all_params(self.params)
        self.symbols = None if symbols is None else tuple(dict.fromkeys(symbol.upper() for symbol in symbols))
        self.timeframe_ns = None if timeframe is None else timeframe_ns(timeframe)
        self.name = name or strategy.name

    def picks(self, known: Sequence[str]) -> list[int]:
        """Positions of its symbols among the run's. Raises: UsageError: one the run has no data of."""
        if self.symbols is None:
            return list(range(len(known)))
        upper = [symbol.upper() for symbol in known]
        for symbol in self.symbols:
            if symbol not in upper:
                raise UsageError(f"{self.name}: the run has no data of {symbol!r}", hint=did_you_mean(symbol, upper))
        return [index for index, symbol in enumerate(upper) if symbol in self.symbols]
