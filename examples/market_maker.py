"""Quotes both sides of a book around a price that leans against what it holds (Avellaneda, Stoikov 2008)."""

from math import log1p

from lockstep import BookUpdate, Rounding, Strategy, Trade, param
from lockstep.features.micro import RealisedVolatility


class MarketMaker(Strategy):
    """Avellaneda, Stoikov (2008), "High-frequency trading in a limit order book", with what a venue asks for besides.

    q is the position in orders of `qty`, s2 the variance of the mid in a second, k how fast the number of orders that reach a price
    falls with its distance from the mid. Both are read from the stream, and nothing is sent before they are known:

        reservation price = mid - q * risk_aversion * s2 * horizon_s
        half spread       = risk_aversion * s2 * horizon_s / 2 + log(1 + risk_aversion / k) / risk_aversion

    The paper's horizon ends with the day; here it is always horizon_s away, since a coin's day does not end. `least_bps` keeps
    quotes at least that far from the mid, to earn a fee back. A quote is moved when it is `requote_ticks` wrong, at most once in
    `pause_ms`; the side that would take the position beyond `max_orders` is not quoted.
    """

    qty: float = param(0.01, ge=0, doc="of one quote, base units or contracts")
    max_orders: int = param(5, ge=1, doc="the position's limit, in quotes")
    risk_aversion: float = param(0.01, ge=1e-9, doc="gamma of the paper, 1 / quote currency")
    horizon_s: float = param(10.0, ge=0, doc="T - t of the paper")
    least_bps: float = param(0.0, ge=0, doc="no quote is nearer to the mid, in 0.01 %")
    requote_ticks: int = param(5, ge=1, doc="how wrong a quote may stand")
    pause_ms: int = param(250, ge=0, doc="between two commands of one side")
    memory: int = param(200, ge=1, doc="takers that the mean reach looks back on")

    def on_start(self) -> None:
        self.volatility = self.indicator(RealisedVolatility(1_000, 30))  # known after 30 s of unbroken book
        self.reach = 0.0  # mean distance from the mid to which orders that take have reached
        self.takers = 0
        self.taking = (0, 0)  # time and side of the order that is being told
        self.mid = 0.0  # before it
        self.far = 0.0  # how far it has come
        self.quotes = {"bid": 0, "ask": 0}  # the ids of our orders
        self.asked_at = {"bid": 0, "ask": 0}

    def on_trade(self, trade: Trade) -> None:
        """One order that takes prints a trade for each order that it meets: they are one, as far as it came."""
        order = (trade.ts_event, int(trade.aggressor))
        if order != self.taking:
            if self.far > 0.0:
                self.takers += 1
                self.reach += (self.far - self.reach) / min(self.takers, self.memory)
            book = self.book()
            self.taking, self.far = order, 0.0
            self.mid = book.mid if book.is_good else 0.0
        if self.mid > 0.0:
            self.far = max(self.far, abs(trade.price - self.mid))

    def on_book(self, update: BookUpdate) -> None:
        book = self.book()
        if not book.is_good or self.volatility.value != self.volatility.value or self.takers < self.memory:
            self.cancel()  # nothing is known to quote by
            return
        mid = book.mid
        s2 = (self.volatility.value * mid) ** 2 / 30
        risk = self.risk_aversion * s2 * self.horizon_s
        held = self.position.qty / self.qty
        half = risk / 2 + log1p(self.risk_aversion * self.reach) / self.risk_aversion  # k is 1 / reach
        half = max(half, mid * self.least_bps / 10_000)
        fair = mid - held * risk
        tick = self.instrument.tick_size / 10**self.instrument.price_decimals
        room = self.max_orders - 0.5
        self.quote("bid", 1, min(fair - half, book.ask - tick), held < room)
        self.quote("ask", -1, max(fair + half, book.bid + tick), held > -room)

    def quote(self, name: str, side: int, price: float, wanted: bool) -> None:
        """Have one order of a side rest at about a price, or none."""
        order = next((one for one in self.open_orders if one.id == self.quotes[name]), None)
        if not wanted:
            if order is not None:
                self.cancel(order)
            return
        price = self.round_price(price, Rounding.DOWN if side > 0 else Rounding.UP)
        tick = self.instrument.tick_size / 10**self.instrument.price_decimals
        if self.now - self.asked_at[name] < self.pause_ms * 1_000_000:
            return
        if order is None:
            self.quotes[name] = self.order(side * self.qty, limit=price, post_only=True).id
        elif abs(order.limit_price - price) < (self.requote_ticks - 0.5) * tick or not self.replace(order, limit=price):
            return
        self.asked_at[name] = self.now
