"""Woken at each message of the book, it counts how often the best bid or ask was another: the strategy of row `tick_python`."""

from lockstep import Strategy
from lockstep.model.events import BookUpdate


class BestChanges(Strategy):
    def on_start(self) -> None:
        self.seen = self.book()
        self.bid = self.ask = 0.0
        self.crosses = 0

    def on_book(self, update: BookUpdate) -> None:
        bid, ask = self.seen.bid, self.seen.ask
        if bid != self.bid or ask != self.ask:
            self.bid, self.ask = bid, ask
            self.crosses += 1
