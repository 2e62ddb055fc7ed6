"""What one strategy sent in one instrument before: orders that only reduce and still work, and what would be a repetition."""

from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.orders.order import Order
else:
    from lockstep.orders.order import Order

_NEVER = 2**62
_RECENT_MAX = 256


@cython.final
@cython.cclass
class Reducers:
    """Its reduce_only orders: those that work, and some that are done until `left` walks over them."""

    orders: list[Order]

    def __init__(self) -> None:
        self.orders = []

    def left(self, beside: Order) -> cython.longlong:
        """What those of an order's side may still fill and reserve but for itself, units. The list is rid of what is done."""
        kept: cython.Py_ssize_t = 0
        k: cython.Py_ssize_t
        total: cython.longlong = 0
        other: Order
        for k in range(len(self.orders)):
            other = cython.cast(Order, self.orders[k])
            if other.is_done():
                continue
            self.orders[kept] = other
            kept += 1
            if other.side_sign == beside.side_sign and not other.unreserved and other is not beside:
                total += other.open_units()
        del self.orders[kept:]
        return total


@cython.final
@cython.cclass
class Repeats:
    """When an order of the same side, quantity, type and prices was sent last. recent: that, and at which clock, ns UTC."""

    recent: dict[tuple[Any, ...], int]
    key: tuple[Any, ...]

    def __init__(self) -> None:
        self.recent = {}
        self.key = ()

    def age(
        self,
        order: Order,
        qty: cython.longlong,
        limit_price: cython.longlong,
        stop_price: cython.longlong,
        clock: cython.longlong,
    ) -> cython.longlong:
        """How long ago the same was sent, ns; beyond any window where it was not. `add` takes the order asked about last."""
        self.key = (order.side_sign, qty, order.type_code, limit_price, stop_price)
        last = self.recent.get(self.key)
        return _NEVER if last is None else clock - last

    def add(self, clock: cython.longlong, window: cython.longlong) -> cython.int:
        """The order that `age` was asked about went out. window: what is older may be forgotten."""
        if len(self.recent) >= _RECENT_MAX:
            self.recent = {key: at for key, at in self.recent.items() if clock - at < window}
        self.recent[self.key] = clock
        return 0

    def forget(self) -> None:
        """Nothing was sent."""
        self.recent.clear()

    def restore(self, saved: list[list[Any]]) -> None:
        """Continue from the pairs of `recent`."""
        self.recent = {tuple(key): at for key, at in saved}
