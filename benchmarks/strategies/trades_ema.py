"""Two averages of the price, and how often they change places: the strategy of row `trades_ema`."""

from lockstep import EMA, Strategy, Trade


class TradeCrosses(Strategy):
    fast_period: int = 10
    slow_period: int = 30

    def on_start(self) -> None:
        self.fast = self.indicator(EMA(self.fast_period))
        self.slow = self.indicator(EMA(self.slow_period))
        self.is_above = False
        self.crosses = 0

    def on_trade(self, trade: Trade) -> None:
        is_above = self.fast.value > self.slow.value
        if is_above != self.is_above:
            self.is_above = is_above
            self.crosses += 1
