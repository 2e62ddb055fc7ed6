"""Gates of one account, driven by hand: two instruments, two strategies, orders that work until they are filled or end."""

from typing import Any, NamedTuple

from lockstep.model.enums import AssetClass, OrderEventKind, OrderFlag, OrderType, Reason
from lockstep.model.instrument import Instrument
from lockstep.model.traffic import make_terms
from lockstep.orders.order import OpenOrders, Order
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.desk import Desk
from lockstep.risk.gate import Gate
from lockstep.risk.limits import Refused, RiskLimits

SECOND = 1_000_000_000
T0 = 1_600_041_600 * SECOND  # 2020-09-14 00:00 UTC
STRATEGIES = ("one", "two")
SYMBOLS = ("AAA", "BBB")


def share(symbol: str, **rules: Any) -> Instrument:
    """An instrument with whole prices and quantities."""
    fields: dict[str, Any] = {
        "venue": "X", "symbol": symbol, "asset_class": AssetClass.EQUITY, "base_currency": symbol,
        "quote_currency": "USD", "price_decimals": 0, "qty_decimals": 0,
    }  # fmt: skip
    return Instrument(**(fields | rules))


class Sent(NamedTuple):
    """What came of an order: the rule that refused it or None, and the order."""

    rule: str | None
    order: Order
    verdict: Refused | None


class Floor:
    """Every strategy may trade every instrument. clock: moved by hand. The reference price is 100 unless it is set."""

    def __init__(self, limits: RiskLimits, cash: int = 1_000_000, leverage: float = 1.0, count: int = 2) -> None:
        names = [*SYMBOLS, *(f"S{k}" for k in range(2, count))][:count]
        self.items = [share(name) for name in names]
        self.portfolio = Portfolio(self.items, cash, leverage)
        self.desk = Desk(self.portfolio.equity())
        self.orders = OpenOrders()
        self.clock = T0
        self.reserved: dict[int, int] = {}  # order: the price its worth was reckoned at
        self.gates: dict[tuple[int, int], Gate] = {}
        for s, strategy in enumerate(STRATEGIES):
            for i, item in enumerate(self.items):
                position = self.portfolio.add_position(strategy, s, i)
                self.gates[s, i] = Gate(item, limits, self.desk, position, strategy)
        for i in range(count):
            self.price(i, 100)

    def price(self, instrument: int, price: int) -> None:
        """A new last price, known now."""
        holding: Any = self.portfolio.holdings[instrument]
        holding.show(price, self.clock)

    def send(
        self,
        side: int,
        qty: int,
        limit: int = 0,
        *,
        instrument: int = 0,
        strategy: int = 0,
        stop: int = 0,
        reduce: bool = False,
    ) -> Sent:
        """An order through its gate; approved, it works."""
        kind = OrderType.LIMIT if limit else OrderType.STOP if stop else OrderType.MARKET
        terms = make_terms(side, int(kind), 1, int(OrderFlag.REDUCE_ONLY) if reduce else 0, qty, limit, stop, 0, 0, 0)
        order = self.orders.create(
            STRATEGIES[strategy], 0, strategy, self.items[instrument], instrument, terms, self.clock
        )
        holding, gate = self.portfolio.holdings[instrument], self.gates[strategy, instrument]
        worth = float(qty) * (limit or stop or holding.last)
        rule = gate.decide(self.portfolio, holding, order, worth, self.clock, len(self.orders.by_id))
        if rule:
            self.orders.apply(order, int(OrderEventKind.DENY))
            self.desk.refuse()
            return Sent(Reason(rule).name.lower(), order, gate.verdict(rule))
        self.orders.apply(order, int(OrderEventKind.SUBMIT))
        gate.sent(order, self.clock)
        holding.add_pending(side, qty, worth)
        self.reserved[order.id] = limit or stop or holding.last_units
        return Sent(None, order, None)

    def change(self, limits: RiskLimits) -> None:
        """Other limits for every gate, as the engine does it."""
        self.desk.begin_change(limits)
        for (_, i), gate in self.gates.items():
            gate.relimit(self.items[i], limits)
        self.desk.disband()
        for order in self.orders.by_id.values():
            self.gates[order.strategy_index, order.instrument_index].enlist(order)

    def fill(self, sent: Sent, qty: int | None = None) -> None:
        """Fill an order, wholly unless said, at its limit or the last price."""
        order = sent.order
        holding = self.portfolio.holdings[order.instrument_index]
        price = order.limit_units or order.stop_units or holding.last_units
        done = order.qty_units - order.cum_units if qty is None else qty
        self.orders.apply_fill(order, done, price)
        holding.add_pending(order.side_sign, -done, -float(done * self.reserved[order.id]))
        position = self.portfolio.position(order.strategy_index, order.instrument_index)
        self.portfolio.book_fill(position, order.side_sign, price, done, 0)

    def cancel(self, sent: Sent) -> None:
        """An order ends at the venue."""
        order = sent.order
        left = order.qty_units - order.cum_units
        holding = self.portfolio.holdings[order.instrument_index]
        self.orders.apply(order, int(OrderEventKind.CANCEL))
        holding.add_pending(order.side_sign, -left, -float(left * self.reserved[order.id]))
