"""Long while a fast average is above a slow one."""

from lockstep import EMA, Bar, CrossOver, Strategy


class EmaCross(Strategy):
    fast: int = 10
    slow: int = 20
    weight: float = 0.19

    def on_start(self) -> None:
        self.cross = self.indicator(CrossOver(EMA(self.fast), EMA(self.slow)))

    def on_bar(self, bar: Bar) -> None:
        if self.cross.up:
            self.target_position(self.size(self.weight))
        elif self.cross.down:
            self.close()
