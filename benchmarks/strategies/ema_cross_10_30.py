"""Long one coin while the fast average is above the slow one, else flat: the strategy of row `bars_ema_cross`."""

from lockstep import Bar, Strategy  # type: ignore[attr-defined]


class EmaCross(Strategy):  # type: ignore[misc]
    fast_period: int = 10
    slow_period: int = 30
    quantity: float = 1.0

    def on_start(self) -> None:
        self.fast = self.ema(self.fast_period)
        self.slow = self.ema(self.slow_period)

    def on_bar(self, bar: Bar) -> None:
        fast, slow = self.fast.value, self.slow.value
        if fast > slow:
            self.target_position(bar.symbol, self.quantity)
        elif fast < slow:
            self.target_position(bar.symbol, 0)
