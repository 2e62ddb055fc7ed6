"""Takes what one side of the book leans to, where the gain it expects is more than the trade costs."""

from lockstep import BookUpdate, Strategy, param
from lockstep.features.micro import Imbalance


class ImbalanceTaker(Strategy):
    """Learns while it runs how far the mid goes in `horizon_ms` for the imbalance of the best `levels`, and trades on that.

    The slope is that of least squares through the origin, over the last `memory` pairs (imbalance, what the mid did after it),
    and only over those that are known: a pair is learnt when its horizon has passed. It takes, with a limit at the price it
    sees so that a late arrival does not chase it, where slope x imbalance is more than half the spread and `cost_bps`, what
    entering and leaving cost besides; it leaves after `hold_ms`, or when as much speaks for the other side.
    """

    qty: float = param(0.01, ge=0, doc="of one trade, base units or contracts")
    levels: int = param(5, ge=1, le=50, doc="of each side, whose imbalance is read")
    horizon_ms: int = param(1_000, ge=1, doc="how far ahead the mid is predicted")
    hold_ms: int = param(1_000, ge=1, doc="how long a position is held")
    every_ms: int = param(50, ge=1, doc="between two looks")
    memory: int = param(1_200, ge=8, doc="looks that the slope is learnt from; trading begins after a quarter of them")
    cost_bps: float = param(0.0, ge=0, doc="what a trade costs besides half the spread, in 0.01 %")

    def on_start(self) -> None:
        self.lean = self.indicator(Imbalance(self.levels))
        self.waiting: list[list[float]] = []  # [time, imbalance, mid] whose horizon has not passed
        self.pairs: list[list[float]] = []  # [imbalance, move]
        self.products = 0.0
        self.squares = 0.0
        self.looked_at = 0
        self.entered_at = 0

    def learn(self, mid: float) -> None:
        while self.waiting and self.now - self.waiting[0][0] >= self.horizon_ms * 1_000_000:
            _, lean, then = self.waiting.pop(0)
            self.pairs.append([lean, mid - then])
            self.products += lean * (mid - then)
            self.squares += lean * lean
        while len(self.pairs) > self.memory:
            lean, move = self.pairs.pop(0)
            self.products -= lean * move
            self.squares -= lean * lean

    def on_book(self, update: BookUpdate) -> None:
        book = self.book()
        if not book.is_good:
            self.waiting = []  # what comes after a break says nothing about what was before it
            return
        mid = book.mid
        self.learn(mid)
        if self.now - self.looked_at < self.every_ms * 1_000_000:
            return
        self.looked_at = self.now
        self.waiting.append([self.now, self.lean.value, mid])
        if len(self.pairs) < self.memory // 4:
            return
        expected = self.products / self.squares * self.lean.value if self.squares > 0.0 else 0.0
        cost = (book.ask - book.bid) / 2 + mid * self.cost_bps / 10_000
        held = self.position.qty
        if held:
            late = self.now - self.entered_at >= self.hold_ms * 1_000_000
            if late or (expected * held < 0 and abs(expected) > cost):
                self.close()
        elif abs(expected) > cost and not self.open_orders:
            self.entered_at = self.now
            reasoning = f"{expected:+.2f} expected, {cost:.2f} to pay"
            if expected > 0:
                self.buy(self.qty, limit=book.ask, tif="IOC", signal=self.signal("BUY", reasoning=reasoning))
            else:
                self.sell(self.qty, limit=book.bid, tif="IOC", signal=self.signal("SELL", reasoning=reasoning))
