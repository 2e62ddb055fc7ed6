"""A backtest: history -> engine -> simulated venue, and what came of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lockstep.engine.engine import Engine
from lockstep.engine.records import DECISION_WORDS, EQUITY_WORDS, FILL_WORDS
from lockstep.model.errors import LockstepError, StrategyFault, UsageError
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.messages import Signal
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.portfolio.portfolio import Portfolio
from lockstep.run.config import BacktestConfig
from lockstep.run.identity import RunIdentity
from lockstep.run.loop import run_bars
from lockstep.run.source import MergedSource, Stream
from lockstep.run.strategy_file import StrategyFile, line_in
from lockstep.sim.market import Market
from lockstep.sim.venue import Venue
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.times import time_text
from lockstep.store.rowspool import RowSpool

ORDER_LOG_BYTES_MAX = 8 * 2**20
"""Memory for each log of orders before it goes to a file: it grows with trading, hence with the number of instruments."""

Progress = Callable[[int, int], None]
"""(events done, events in all)."""


class Outcome:
    """What a backtest left: hashes, counts, the engine as it stopped, and the logs as spools."""

    def __init__(self, backtest: "Backtest", engine: Engine, identity: tuple[str, str], seconds: float) -> None:
        self.backtest = backtest
        self.engine = engine
        self.run_hash, self.decision_hash = identity
        self.seconds = seconds
        self.decisions = backtest.decisions
        self.fill_rows = backtest.fill_rows
        self.equity_rows = backtest.equity_rows
        self.signals = backtest.signals
        self.last_clock: int = engine.state.clock

    @property
    def events(self) -> int:
        """Market events seen, corporate actions included."""
        return self.engine.events

    @property
    def orders(self) -> int:
        """Orders sent to the venue."""
        return self.engine.state.submitted

    @property
    def denied(self) -> int:
        """Orders that risk refused."""
        return self.engine.state.denied

    @property
    def fills(self) -> int:
        """Executions."""
        return self.fill_rows.rows

    @property
    def final_equity(self) -> float:
        """Equity at the last mark, settlement currency."""
        return self.engine.portfolio.equity()


class Backtest:
    """One strategy file on some instruments under a configuration. `run` may be called again: it starts afresh.

    Args:   strategy: the loaded file; params: its parameters; data: one history per instrument; beside: further
            strategies with their parameters, on the same data and account at the same time.
    Raises: UsageError: no data. StrategyError: parameters that do not fit.
    """

    def __init__(
        self,
        strategy: StrategyFile,
        data: Sequence[MarketData],
        config: BacktestConfig | None = None,
        params: Mapping[str, Any] | None = None,
        beside: Sequence[tuple[StrategyFile, Mapping[str, Any]]] = (),
    ) -> None:
        if not data:
            raise UsageError("a backtest needs data", hint="lockstep data list shows what there is")
        self.strategy = strategy
        self.config = config or BacktestConfig()
        ordered = sorted(data, key=lambda entry: entry.instrument.id)
        start, end = self.config.start_ns, self.config.end_ns
        # Not listed yet, or no more: left out and said so. Where none has data, reading the first says what there is.
        self.data = [entry for entry in ordered if entry.count(start, end) > 0] or ordered
        self.without_data = [entry.info.symbol for entry in ordered if entry not in self.data]
        self.params = dict(params or {})
        self.all_params = strategy.all_params(self.params)
        self.beside = [(other, dict(its_params)) for other, its_params in beside]
        self.instruments = [_priced(entry.instrument, self.config) for entry in self.data]
        names = [instrument.id for instrument in self.instruments]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"the data holds {twice[0]} more than once", hint="give each instrument once")

    def given(self) -> dict[str, Any]:
        """What the run hash says about the run before it starts, as plain data."""
        strategies = [(self.strategy, self.params), *self.beside]
        return {
            "strategies": [
                {
                    "source": strategy.source,
                    "class": strategy.name,
                    "params": {name: str(value) for name, value in strategy.all_params(params).items()},
                }
                for strategy, params in strategies
            ],
            "config": self.config.facts(),
            "instruments": [instrument.facts() for instrument in self.instruments],
            "data": [[entry.instrument.id, entry.info.content_hash] for entry in self.data],
        }

    def run(self, progress: Progress | None = None) -> Outcome:
        """Run it to the end of the data.

        Raises: DataError: an empty range, or data out of order. StrategyFault: a handler of the strategy raised.
        """
        started = time.perf_counter()
        self.decisions = RowSpool(DECISION_WORDS, ORDER_LOG_BYTES_MAX)
        self.fill_rows = RowSpool(FILL_WORDS, ORDER_LOG_BYTES_MAX)
        self.equity_rows = RowSpool(EQUITY_WORDS)
        self.signals: list[Signal] = []
        identity = RunIdentity(self.given())
        engine = Engine(
            Portfolio(self.instruments, self.config.cash, float(self.config.leverage)),
            decision_sinks=[identity.update, self.decisions.append],
            fill_sinks=[self.fill_rows.append],
            equity_sinks=[self.equity_rows.append],
            signal_sink=self.signals.append,
        )
        self._seat(engine)
        source = self._source(progress)
        try:
            engine.start(source.first_time())
            run_bars(engine, self._venue(engine), source)
            engine.stop()
        except Exception as e:
            for strategy, _ in [(self.strategy, self.params), *self.beside]:
                line = line_in(e, str(strategy.path))
                if line:
                    raise _fault(engine, e, f"{strategy.file_name}{line}") from e
            raise
        return Outcome(self, engine, identity.finish(engine), time.perf_counter() - started)

    def _seat(self, engine: Engine) -> None:
        indexes = range(len(self.instruments))
        taken: set[str] = set()
        for strategy, params in [(self.strategy, self.params), *self.beside]:
            whole = strategy.cls.trades == "all"
            for group in [list(indexes)] if whole else [[index] for index in indexes]:
                name = strategy.name
                if not whole and len(indexes) > 1:
                    name += f":{self.instruments[group[0]].symbol}"
                count = 2
                while name in taken:  # the same class twice, say with other parameters
                    name = f"{name.split('#')[0]}#{count}"
                    count += 1
                taken.add(name)
                engine.add_strategy(strategy.make(params), name, group, self.config.limits)

    def _source(self, progress: Progress | None) -> MergedSource:
        start, end = self.config.start_ns, self.config.end_ns
        streams = [
            Stream(entry.instrument.id, index, entry.chunks(start, end), self.config.latency.feed_ns)
            for index, entry in enumerate(self.data)
        ]
        if progress is None:
            return MergedSource(streams)
        total = sum(entry.count(start, end) for entry in self.data)
        progress(0, total)
        return MergedSource(streams, lambda rows: progress(rows, total))

    def _venue(self, engine: Engine) -> Venue:
        markets = []
        first = min(entry.info.first_ns for entry in self.data)
        last = max(entry.info.last_ns for entry in self.data)
        known_hours: dict[str, list[tuple[int, int]]] = {}
        for index, (entry, valuation) in enumerate(zip(self.data, engine.portfolio.valuations, strict=True)):
            instrument = self.instruments[index]
            hours: list[tuple[int, int]] = []
            if not instrument.session.always_open:
                name = instrument.session.name
                if name not in known_hours:
                    known_hours[name] = instrument.session.bounds(first, last + 7 * NANOS_PER_DAY)
                hours = known_hours[name]
            # A bar of about a session or longer ends when the venue closes: its orders wait for the next open.
            queue = entry.info.bar_ns >= NANOS_PER_DAY // 4  # 0 where there are no bars
            kind = entry.info.kind
            markets.append(
                Market(
                    index, valuation, self.config.fills, hours, queue, quotes=kind == "quote", trades=kind == "trade"
                )
            )
        slippage = self.config.slippage.scaled(self.config.cost_multiple)
        return Venue(markets, self.config.latency, slippage, self.config.fills, self.config.seed)


def _fault(engine: Engine, error: Exception, where: str) -> StrategyFault:
    """What a handler raised, with the line, the strategy and the time."""
    at = time_text(engine.state.clock)
    kind = "" if isinstance(error, LockstepError) else f"{type(error).__name__}: "
    hint = getattr(error, "hint", "") or "--traceback shows where"
    return StrategyFault(f"{where}, {engine.active_strategy} at {at}: {kind}{error}", hint=hint)


def _priced(instrument: Instrument, config: BacktestConfig) -> Instrument:
    fees: FeeSchedule = config.fees if config.fees is not None else instrument.fees
    return instrument.with_fees(fees.scaled(config.cost_multiple))


def is_compiled() -> bool:
    """Whether the hot modules run compiled."""
    from lockstep.engine import engine

    return not engine.__file__.endswith(".py")
