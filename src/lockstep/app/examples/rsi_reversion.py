"""Buy what has fallen too fast, and sell once it has recovered."""

from lockstep import RSI, Bar, Strategy


class RsiReversion(Strategy):
    period: int = 14
    low: float = 30.0
    high: float = 70.0
    weight: float = 0.19

    def on_start(self) -> None:
        self.rsi = self.indicator(RSI(self.period))

    def on_bar(self, bar: Bar) -> None:
        if self.rsi.value < self.low and not self.position:
            self.target_position(self.size(self.weight))
        elif self.rsi.value > self.high:
            self.close()
