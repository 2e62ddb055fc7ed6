"""Two averages of the mid, and how often they change places: the strategy of row `quotes_two_ema`."""

from lockstep import EMA, Quote, Strategy


class QuoteCrosses(Strategy):
    fast_period: int = 10
    slow_period: int = 30

    def on_start(self) -> None:
        self.fast = self.indicator(EMA(self.fast_period))
        self.slow = self.indicator(EMA(self.slow_period))
        self.is_above = False
        self.crosses = 0

    def on_quote(self, quote: Quote) -> None:
        is_above = self.fast.value > self.slow.value
        if is_above != self.is_above:
            self.is_above = is_above
            self.crosses += 1
