"""A backtest: history -> engine -> simulated venue, and what came of it."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from lockstep.engine.engine import Engine
from lockstep.engine.records import DECISION_WORDS, EQUITY_WORDS, FILL_WORDS
from lockstep.engine.rowlog import Sink
from lockstep.model.errors import LockstepError, StrategyFault, UsageError, did_you_mean, hint_for
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.messages import Signal
from lockstep.model.sessions import session_with
from lockstep.portfolio.portfolio import Portfolio
from lockstep.run.charges import NO_FUNDING, Funding, funding_by_instrument
from lockstep.run.config import BacktestConfig
from lockstep.run.feeds import KINDS, InstrumentFeeds
from lockstep.run.identity import RunIdentity
from lockstep.run.latency import settle
from lockstep.run.loop import Loop
from lockstep.run.plan import StrategyPlan
from lockstep.run.setup import (
    keep_books,
    longest_feed_ns,
    refuse_closed,
    refuse_unfed,
    seat_all,
    show_history,
    sources_for,
    venue_for,
)
from lockstep.run.strategy_file import StrategyFile, line_in
from lockstep.sim.models import BookFills
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.times import time_text
from lockstep.store.journal.errors import JournalFailed, JournalFull
from lockstep.store.rowspool import RowSpool

ORDER_LOG_BYTES_MAX = 8 * 2**20
"""Memory for each log of orders before it goes to a file: it grows with trading, hence with the number of instruments."""

Progress = Callable[[int, int], None]
"""(events done, events in all)."""


class Outcome:
    """What a backtest left: hashes, counts, the engine and the venue's markets as they stopped, and the logs as spools."""

    def __init__(self, playing: "Playing") -> None:
        self.backtest = playing.backtest
        self.engine = playing.engine
        self.run_hash, self.decision_hash = playing.identity.finish(self.engine)
        self.seconds = playing.seconds
        self.decisions = playing.decisions
        self.fill_rows = playing.fill_rows
        self.equity_rows = playing.equity_rows
        self.signals = playing.signals
        self.history_missing = playing.missing
        self.markets = list(playing.venue.markets)
        self.last_clock: int = self.engine.state.clock

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
        """Equity at the last prices, account currency."""
        return self.engine.portfolio.equity()


class Backtest:
    """Strategies on some instruments under a configuration. `run` may be called again: it starts afresh.

    Args:   strategies: a loaded file with its `params`, or the plans of several that share the account. data: at most one
            history of each kind (bars, quotes, trades) for each instrument. funding: rates of perpetual contracts, by symbol.
            chosen: symbols that were asked for by name, besides those of the strategies: they are never left out.
    Raises: UsageError: no data, or no strategy. StrategyError: parameters that do not fit.
    """

    def __init__(
        self,
        strategies: StrategyFile | Sequence[StrategyPlan],
        data: Sequence[MarketData],
        config: BacktestConfig | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        timeframe: str | None = None,
        funding: Funding = NO_FUNDING,
        chosen: Collection[str] = (),
    ) -> None:
        if not data:
            raise UsageError("a backtest needs data", hint="lockstep data list shows what there is")
        if isinstance(strategies, StrategyFile):
            self.plans = [StrategyPlan(strategies, params, timeframe=timeframe)]
        else:
            self.plans = list(strategies)
        if not self.plans:
            raise UsageError("a backtest needs a strategy")
        self.config = config or BacktestConfig()
        ordered = sorted(data, key=lambda entry: (entry.instrument.id, KINDS.index(entry.info.kind)))
        start, end = self.config.start_ns, self.config.end_ns
        # Not listed yet, or no more: left out and said so. Where none has data, reading the first says what there is.
        self.data = [entry for entry in ordered if entry.count(start, end) > 0] or ordered
        self.without_data = [entry.info.symbol for entry in ordered if entry not in self.data]
        named = {symbol.upper() for symbol in chosen} | {name for plan in self.plans for name in plan.symbols or ()}
        self.data, self.without_prices = _priced(self.data, named)
        self.feeds = [
            InstrumentFeeds(_traded(histories[0].instrument, self.config), histories)
            for histories in (list(group) for _, group in groupby(self.data, key=lambda entry: entry.instrument.id))
        ]
        _refuse_unused(self.config.books, self.feeds)
        self.instruments = [feeds.instrument for feeds in self.feeds]
        self.settled = settle(self.config.latency, self.feeds)
        self.config = replace(self.config, latency=self.settled.latency)
        self.funding_given = funding
        self.funding = funding_by_instrument(funding, self.instruments)
        refuse_unknown_margins(self.config.margins, self.instruments)

    @property
    def strategy(self) -> StrategyFile:
        """The first strategy's file."""
        return self.plans[0].strategy

    @property
    def name(self) -> str:
        """Every strategy's name, joined."""
        return " + ".join(plan.name for plan in self.plans)

    def given(self) -> dict[str, Any]:
        """What the run hash says about the run before it starts, as plain data."""
        return {
            "strategies": [
                {
                    "source": plan.strategy.source,
                    "class": plan.strategy.name,
                    "name": plan.name,
                    "params": {name: str(value) for name, value in plan.all_params.items()},
                    "symbols": plan.symbols,
                    "timeframe_ns": plan.timeframe_ns,
                }
                for plan in self.plans
            ],
            "config": self.config.facts(),
            "instruments": [instrument.facts() for instrument in self.instruments],
            "data": [[entry.instrument.id, entry.info.kind, entry.info.content_hash] for entry in self.data],
            "funding": [[self.instruments[k].id, rates.rows()] for k, rates in sorted(self.funding.items())],
        }

    def run(self, progress: Progress | None = None) -> Outcome:
        """Run it to the end of the data.

        Raises: DataError: an empty range, or data out of order. StrategyFault: a handler of the strategy raised.
        """
        session = self.begin(progress)
        with session.faults_named():
            session.loop.run_all()
        return session.end()

    def begin(self, progress: Progress | None = None, decision_sinks: Sequence[Sink] = ()) -> "Playing":
        """A run that has been set up and has seen its history, before its first event.

        Args: decision_sinks: are given the decision log block by block, as the run's hashes are.
        """
        return Playing(self, progress, decision_sinks)


class Playing:
    """A backtest under way: engine, venue and sources, and where what it leaves is kept."""

    def __init__(
        self, backtest: Backtest, progress: Progress | None = None, decision_sinks: Sequence[Sink] = ()
    ) -> None:
        self.backtest = backtest
        self.seconds = 0.0
        self.decisions = RowSpool(DECISION_WORDS, ORDER_LOG_BYTES_MAX)
        self.fill_rows = RowSpool(FILL_WORDS, ORDER_LOG_BYTES_MAX)
        self.equity_rows = RowSpool(EQUITY_WORDS)
        self.signals: list[Signal] = []
        self.identity = RunIdentity(backtest.given())
        config = backtest.config
        self.engine = Engine(
            Portfolio(
                backtest.instruments,
                config.cash,
                float(config.leverage),
                currency=config.currency,
                rates=config.rates,
            ),
            decision_sinks=[self.identity.update, self.decisions.append, *decision_sinks],
            fill_sinks=[self.fill_rows.append],
            equity_sinks=[self.equity_rows.append],
            signal_sink=self.signals.append,
        )
        desk = seat_all(self.engine, backtest.plans, backtest.feeds, config.limits)
        keep_books(self.engine, backtest.feeds, config)
        self.venue = venue_for(backtest.feeds, self.engine.portfolio.valuations, config)
        self.engine.state.desk.stopwatch = time.perf_counter_ns  # how long verdicts take is no part of what is decided
        source, ahead = sources_for(backtest.feeds, desk.series, config, progress, backtest.funding)
        self.loop = Loop(self.engine, self.venue, source, ahead, config.missing_bars == "carry")
        with self.faults_named():
            start = source.first_time()
            self.engine.start(start)
            refuse_unfed(self.engine, desk, backtest.feeds)
            self.missing = show_history(self.loop, desk, backtest.feeds, config.start_ns or start)

    @contextmanager
    def faults_named(self) -> Iterator[None]:
        """What a strategy's handler raises comes out with its file, line and time; the time spent is added up."""
        started = time.perf_counter()
        try:
            yield
        except (JournalFull, JournalFailed):  # raised below a handler, and no fault of the strategy
            raise
        except Exception as e:
            for plan in self.backtest.plans:
                line = line_in(e, str(plan.strategy.path))
                if line:
                    raise _fault(self.engine, e, f"{plan.strategy.file_name}{line}") from e
            raise
        finally:
            self.seconds += time.perf_counter() - started

    def last_clock(self) -> int:
        """No event has a later clock, ns UTC."""
        end, delay = self.backtest.config.end_ns, longest_feed_ns(self.backtest.config.latency)
        lasts = [
            data.info.last_ns if end is None else min(data.info.last_ns, end + data.info.bar_ns)
            for data in self.backtest.data
        ]
        return max(lasts) + delay

    def end(self) -> Outcome:
        """on_stop, and what came of it. Raises: DataError: every market event lay outside the hours."""
        refuse_closed(self.backtest.feeds)
        with self.faults_named():
            self.engine.stop()
        return Outcome(self)


def _fault(engine: Engine, error: Exception, where: str) -> StrategyFault:
    """What a handler raised, with the line, the strategy and the time."""
    at = time_text(engine.state.clock)
    kind = "" if isinstance(error, LockstepError) else f"{type(error).__name__}: "
    return StrategyFault(f"{where}, {engine.active_strategy} at {at}: {kind}{error}", hint=hint_for(error))


def _refuse_unused(books: BookFills, feeds: Sequence[InstrumentFeeds]) -> None:
    """Refuse what is said of order books where there is none. Raises: UsageError."""
    if books != BookFills() and not any("book" in entry.histories for entry in feeds):
        kinds = " and ".join(dict.fromkeys(f"{kind}s" for entry in feeds for kind in entry.histories))
        raise UsageError(
            f"queue, recovery, silence and book start are about order books, and the data are {kinds}",
            hint="give data with changes of a book, --kind depth, or leave these away",
        )


def _priced(data: Sequence[MarketData], named: Collection[str]) -> tuple[list[MarketData], list[str]]:
    """The data without instruments of which only the book changes, and the symbols of these: nothing tells their prices.

    One that was asked for by name stays, and so do they all where there is nothing else: InstrumentFeeds says what is wrong.
    """
    priced = {entry.instrument.id for entry in data if entry.info.kind != "book"}
    kept = [entry for entry in data if entry.instrument.id in priced or entry.info.symbol.upper() in named]
    if not kept:
        return list(data), []
    return kept, [entry.info.symbol for entry in data if entry not in kept]


def _traded(instrument: Instrument, config: BacktestConfig) -> Instrument:
    """An instrument as the run trades it: its fees, its hours and its margins."""
    fees: FeeSchedule = config.fees if config.fees is not None else instrument.fees
    if config.sessions:
        instrument = replace(instrument, session=session_with(instrument.session, config.sessions))
    for name, (initial, maintenance) in config.margins.items():
        if name in (instrument.symbol, instrument.id):
            instrument = replace(instrument, margin_initial=initial, margin_maintenance=maintenance)
    return instrument.with_fees(fees.scaled(config.cost_multiple))


def refuse_unknown_margins(margins: Mapping[str, object], instruments: Sequence[Instrument]) -> None:
    """Refuse margins of something the run does not trade. Raises: UsageError."""
    known = {name for instrument in instruments for name in (instrument.symbol, instrument.id)}
    for name in margins:
        if name not in known:
            raise UsageError(f"margins are given for {name!r}, which is not in the run", hint=did_you_mean(name, known))


def is_compiled() -> bool:
    """Whether the hot modules run compiled."""
    from lockstep.engine import engine

    return not engine.__file__.endswith(".py")
