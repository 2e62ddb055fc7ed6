"""Long one coin while the fast average is above the slow one, else flat: the strategy of row `bars_ema_cross`."""

from lockstep import EMA, Bar, Strategy


class EmaCross(Strategy):
    fast_period: int = 10
    slow_period: int = 30
    quantity: float = 1.0

    def on_start(self) -> None:
        self.fast = self.indicator(EMA(self.fast_period))
        self.slow = self.indicator(EMA(self.slow_period))

    def on_bar(self, bar: Bar) -> None:
        if self.fast.value > self.slow.value:
            if not self.position:
                self.target_position(self.quantity)
        elif self.position:
            self.close()
