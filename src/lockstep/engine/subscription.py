"""What one strategy has of one instrument: position, gate, indicators, window, and how much of it it has seen."""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.ring import BarRing
    from cython.cimports.lockstep.features.micro.stream import MarketFeatures
    from cython.cimports.lockstep.features.schedule import IndicatorSet
    from cython.cimports.lockstep.portfolio.position import Holding, Position
    from cython.cimports.lockstep.risk.desk import Desk
    from cython.cimports.lockstep.risk.gate import Gate
else:
    from lockstep.book.ring import BarRing
    from lockstep.features.micro.stream import MarketFeatures
    from lockstep.features.schedule import IndicatorSet
    from lockstep.portfolio.position import Holding, Position
    from lockstep.risk.desk import Desk
    from lockstep.risk.gate import Gate
from lockstep.features.base import Indicator
from lockstep.features.micro.base import MarketFeature
from lockstep.model.errors import StrategyError
from lockstep.model.instrument import Instrument
from lockstep.risk.limits import RiskLimits


@cython.final
@cython.cclass
class Subscription:
    """One strategy's interest in one instrument: its position, gate, indicators and window there.

    series: which of the instrument's bars it gets. bars, quotes, trades: how many it has seen; indicators,
    quote_indicators, trade_indicators: what is updated with each; features: with its book and trades. waits: for indicators; ready: whether handlers are called.
    history_from: from when on it is shown what lies before the start; never, unless said.
    cooldown_until: no opening before this many bars. working_market: signed units of market orders on their way.
    book: a view of the instrument's book, None where the run has none.
    watch: what was attached to the strategy and keeps prices and quantities of its own, which a split restates; or None.
    """

    index: cython.int
    seat_index: cython.int
    instrument_index: cython.int
    strategy: str
    instrument: Instrument
    position: Position
    holding: Holding
    gate: Gate
    indicators: IndicatorSet | None
    quote_indicators: IndicatorSet | None
    trade_indicators: IndicatorSet | None
    features: MarketFeatures | None
    window: BarRing | None
    book: Any
    series: cython.int
    ready: cython.bint
    waits: cython.bint
    history_from: cython.longlong
    bars: cython.longlong
    quotes: cython.longlong
    trades: cython.longlong
    cooldown_until: cython.longlong
    cooldown_bars: cython.longlong
    working_market: cython.longlong
    scale: cython.double
    qty_scale: cython.double
    wants_orders: cython.bint
    watch: Any
    lot: cython.longlong
    qty_min: cython.longlong
    qty_max: cython.longlong
    tick: cython.longlong
    price_max: cython.longlong

    def __init__(
        self,
        index: int,
        strategy: str,
        seat_index: int,
        position: Position,
        limits: RiskLimits,
        cooldown_bars: int,
        series: int = 0,
        desk: Desk | None = None,
    ) -> None:
        self.index = index
        self.strategy = strategy
        self.seat_index = seat_index
        self.position = position
        self.holding = position.holding
        self.instrument = position.instrument
        self.instrument_index = position.holding.index
        self.gate = Gate(self.instrument, limits, desk, position, strategy)
        self.indicators = None
        self.quote_indicators = None
        self.trade_indicators = None
        self.features = None
        self.window = None
        self.book = None
        self.series = series
        self.ready = True
        self.waits = True
        self.history_from = 0x7FFFFFFFFFFFFFFF
        self.bars = 0
        self.quotes = 0
        self.trades = 0
        self.cooldown_until = 0
        self.cooldown_bars = cooldown_bars
        self.working_market = 0
        self.wants_orders = False
        self.watch = None
        self.lot = self.instrument.lot_size
        self.qty_min = max(1, self.instrument.qty_min)
        self.qty_max = self.instrument.qty_max
        self.tick = self.instrument.tick_size
        self.price_max = self.instrument.price_max
        self.scale = 10.0**self.instrument.price_decimals
        self.qty_scale = 10.0**self.instrument.qty_decimals

    def seen_book(self) -> Any:
        """The view of the book. Raises: StrategyError: the run has none of this instrument."""
        if self.book is None:
            raise StrategyError(
                f"{self.strategy}: the run has no order book of {self.instrument.symbol}",
                hint="give data with book changes: --kind depth",
            )
        return self.book

    def add_indicator(self, indicator: Indicator, kind: str) -> IndicatorSet:
        """Have it updated with "bars", "quotes" or "trades". Returns: all that are."""
        before = {"bars": self.indicators, "quotes": self.quote_indicators}.get(kind, self.trade_indicators)
        together = IndicatorSet([*(before or ()), indicator])
        if kind == "bars":
            self.indicators = together
        elif kind == "quotes":
            self.quote_indicators = together
        else:
            self.trade_indicators = together
        self.ready = not self.waits
        return together

    def add_feature(self, feature: MarketFeature) -> tuple[MarketFeature, ...]:
        """Have it updated with the book and the trades. Returns: all that are, with what they read."""
        self.features = MarketFeatures(self.instrument, [*(self.features or ()), feature])
        self.ready = not self.waits
        return self.features.ordered

    def look_ready(self) -> cython.bint:
        """Whether every declared indicator has seen what it needs. From then on handlers are called; features of a broken book are nan."""
        self.ready = True
        if self.waits:
            for entry in self.sets():
                if entry.count < entry.warmup:
                    self.ready = False
            if self.features is not None and not self.features.ready:
                self.ready = False
        return self.ready

    def sets(self) -> list[IndicatorSet]:
        """The indicator sets there are: of bars, of quotes, of trades."""
        return [s for s in (self.indicators, self.quote_indicators, self.trade_indicators) if s is not None]
