"""Long while the price is above its average of 50 bars."""

from lockstep import SMA, Bar, Close, CrossOver, Strategy


class SmaMomentum(Strategy):
    period: int = 50
    weight: float = 0.19

    def on_start(self) -> None:
        self.cross = self.indicator(CrossOver(Close(), SMA(self.period)))

    def on_bar(self, bar: Bar) -> None:
        if self.cross.up:
            self.target_position(self.size(self.weight))
        elif self.cross.down:
            self.close()
