"""Strategies for the simulator: they trade a lot, for no reason. All their choices come from a counter in their own state."""

from datetime import timedelta
from typing import Any

from lockstep.model.enums import OrderEventKind
from lockstep.strategy.base import Strategy


class Trader(Strategy):
    """Buys, sells (one in six a bracket), cancels and replaces as a linear congruential generator says. It keeps few orders and small positions."""

    trades = "all"

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.x = seed
        self.mine: list[int] = []
        self.refused = 0

    def _draw(self, n: int) -> int:
        self.x = (self.x * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.x >> 8) % n

    def on_start(self) -> None:
        self.set_timer("tick", every=timedelta(milliseconds=700))

    def on_trade(self, trade: Any) -> None:
        what = self._draw(16)
        if what < 4 and len(self.mine) < 8:
            self._send(trade.instrument, trade.price)
        elif what == 4 and self.mine:
            self._one(lambda order: order.state.name != "UNKNOWN" and self.cancel(order))
        elif what == 5 and self.mine:
            self._one(self._change)

    def _send(self, instrument: Any, price: float) -> None:
        held = self.position_in(instrument).units
        buy = held < 0 if abs(held) > 20 else self._draw(2) == 0
        act = self.buy if buy else self.sell
        qty = 1 + self._draw(9)
        if self._draw(6) == 0:  # a bracket: its legs are the engine's to send and to keep in step
            away = 3 if buy else -3
            entry = int(price)
            order = act(qty, limit=entry, take_profit=entry + away, stop_loss=entry - away, instrument=instrument)
            if order.is_open:
                self.mine.append(order.id)
            return
        limit = None if self._draw(4) == 0 else int(price) + self._draw(3) - 1
        order = act(qty, limit=limit, instrument=instrument)
        if order.is_open:
            self.mine.append(order.id)

    def _one(self, act: Any) -> None:
        wanted = self.mine[self._draw(len(self.mine))]
        for order in self.open_orders:
            if order.id == wanted:
                act(order)

    def _change(self, order: Any) -> None:
        if order.limit_price is not None:
            self.replace(order, qty=max(1, order.filled + 1 + self._draw(9)))

    def on_order(self, event: Any) -> None:
        if event.leaves_qty == 0 and event.client_order_id in self.mine:
            self.mine.remove(event.client_order_id)
        if event.kind is OrderEventKind.REJECT:
            self.refused += 1

    def on_timer(self, timer: Any) -> None:
        known = {order.id for order in self.open_orders}
        self.mine = [number for number in self.mine if number in known]
