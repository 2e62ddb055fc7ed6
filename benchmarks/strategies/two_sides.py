"""A bid and an ask at the best, each sent anew where the best has moved: looked at every tenth of a second. The strategy of row `tick_backtest`.

What it sends depends on the book alone, so that every simulator sees the same orders whatever it fills.
"""

from datetime import timedelta

from lockstep import Strategy, Timer

EVERY = timedelta(milliseconds=100)


class TwoSides(Strategy):
    begin: int = 0
    steps: int = 0
    qty: float = 0.01

    def on_start(self) -> None:
        self.step = 0
        self.bid = self.ask = None
        self.bid_price = self.ask_price = 0.0
        self.quoted = self.book()
        self.set_timer(at=self.begin)

    def on_timer(self, timer: Timer) -> None:
        if self.step == 0:
            self.set_timer(every=EVERY)
        self.step += 1
        if self.step > self.steps:
            return
        bid, ask = self.quoted.bid, self.quoted.ask
        if bid != self.bid_price:
            if self.bid is not None:
                self.cancel(self.bid)
            self.bid, self.bid_price = self.buy(self.qty, limit=bid, post_only=True), bid
        if ask != self.ask_price:
            if self.ask is not None:
                self.cancel(self.ask)
            self.ask, self.ask_price = self.sell(self.qty, limit=ask, post_only=True), ask
