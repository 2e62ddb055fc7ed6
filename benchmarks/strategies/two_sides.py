"""A bid and an ask at the best, taken back and sent again every tenth of a second: the strategy of row `tick_backtest`."""

from lockstep import Strategy, Timer


class TwoSides(Strategy):
    begin: int = 0
    steps: int = 0
    every: int = 100_000_000
    qty: float = 0.01

    def on_start(self) -> None:
        self.step = 0
        self.bid = self.ask = None
        self.quoted = self.book()
        self.set_timer(at=self.begin)

    def on_timer(self, timer: Timer) -> None:
        if self.bid is not None:
            self.cancel(self.bid)
            self.cancel(self.ask)
        book = self.quoted
        self.bid = self.buy(self.qty, limit=book.bid, post_only=True)
        self.ask = self.sell(self.qty, limit=book.ask, post_only=True)
        self.step += 1
        if self.step < self.steps:
            self.set_timer(at=self.begin + self.step * self.every)
