"""How positions are left, declared once: stops that protect, trail and break even, targets, scaling out, and a time limit.

    def on_start(self) -> None:
        self.attach(Exits(stop=0.02, breakeven_after=0.02, trail=0.03, scale_out=((0.03, 0.5),), take_profit=0.06))

Only plain orders and cancels come of it: one resting stop and one resting limit order for each position, both reduce_only.
"""

import math
from datetime import timedelta
from typing import Any

import msgspec

from lockstep.model.enums import OrderState
from lockstep.model.errors import StrategyError
from lockstep.model.instrument import Rounding

_ENDED = (OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.FILLED, OrderState.DENIED)
_MICROSECOND = timedelta(microseconds=1)


class Exits(msgspec.Struct, frozen=True, kw_only=True):
    """Distances from the average entry price, as parts of it (0.02 is 2 %) or, with unit "price", in quote currency.

    stop: where a loss is cut. trail: distance of the stop from the best price since entry; of several stops the nearest to
    the price counts, and none ever moves back. breakeven_after: the gain from which the stop is at the entry price.
    take_profit: where the rest is left. scale_out: (gain, part of the position at its largest), in order. time_stop: leave
    after so many bars (an int), or so long (a timedelta). The best price of a bar is its high (a short's: its low), of a
    quote the side that would be hit. A stop is moved at the end of a bar, for what happened inside it is known only then.
    """

    stop: float | None = None
    trail: float | None = None
    breakeven_after: float | None = None
    take_profit: float | None = None
    scale_out: tuple[tuple[float, float], ...] = ()
    time_stop: int | timedelta | None = None
    unit: str = "fraction"

    def __post_init__(self) -> None:
        """Raises: StrategyError: a distance that is none, steps out of order, parts above the whole, or nothing at all."""
        if self.unit not in ("fraction", "price"):
            raise StrategyError(f"unit of exits was {self.unit!r}", hint='write "fraction" or "price"')
        if not isinstance(self.scale_out, (tuple, list)) or any(
            not isinstance(step, (tuple, list)) or len(step) != 2 or not all(_is_amount(part) for part in step)
            for step in self.scale_out
        ):
            raise StrategyError(
                f"scale_out of exits was {self.scale_out!r}, must be pairs of numbers above 0",
                hint="((0.03, 0.5),) leaves half of the position at a gain of 3 %",
            )
        for name in ("stop", "trail", "breakeven_after", "take_profit"):
            value = getattr(self, name)
            if value is not None and not _is_amount(value):
                raise StrategyError(f"{name} of exits was {value!r}, must be a distance above 0")
            if value is not None and self.unit == "fraction" and value >= 1.0 and name in ("stop", "trail"):
                raise StrategyError(f"{name} of exits was {value!r}, must be below 1", hint="0.02 is 2 %")
        steps = [gain for gain, _ in self.scale_out] + ([] if self.take_profit is None else [self.take_profit])
        if any(not after > before for before, after in zip([0.0, *steps], steps, strict=False)):
            raise StrategyError(f"scale_out of exits was {self.scale_out!r}: its gains must rise, up to take_profit")
        parts = [part for _, part in self.scale_out]
        if any(not part > 0.0 for part in parts) or math.fsum(parts) > 1.0:
            raise StrategyError(
                f"scale_out of exits was {self.scale_out!r}: its parts must be above 0, and 1 at most together"
            )
        limit = self.time_stop
        if limit is not None and (
            isinstance(limit, bool)
            or not isinstance(limit, (int, timedelta))
            or (isinstance(limit, int) and limit <= 0)
            or (isinstance(limit, timedelta) and limit <= timedelta())
        ):
            raise StrategyError(f"time_stop of exits was {self.time_stop!r}, must be bars or a timedelta above 0")
        said = (self.stop, self.trail, self.breakeven_after, self.time_stop)
        if not self.targets() and all(value is None for value in said):
            raise StrategyError(
                "exits without any: say stop, trail, breakeven_after, take_profit, scale_out or time_stop"
            )

    def distance(self, part: float, entry: float) -> float:
        """A distance in quote currency."""
        return part if self.unit == "price" else part * entry

    def stop_level(self, side: int, entry: float, best: float) -> float | None:
        """Where the stop belongs, quote currency; None for nowhere. best: the best price since entry."""
        levels = []
        if self.stop is not None:
            levels.append(entry - side * self.distance(self.stop, entry))
        if self.trail is not None:
            levels.append(best - side * self.distance(self.trail, best))
        if self.breakeven_after is not None and (best - entry) * side >= self.distance(self.breakeven_after, entry):
            levels.append(entry)
        return (max(levels) if side > 0 else min(levels)) if levels else None

    def targets(self) -> list[tuple[float, float | None]]:
        """(gain, part of the largest position), the last with None for all that is left."""
        steps: list[tuple[float, float | None]] = list(self.scale_out)
        return steps if self.take_profit is None else [*steps, (self.take_profit, None)]


class Following:
    """The exits of one strategy instance at work. What it has to remember is in `strategy.exit_state`, which is saved.

    A denied or rejected order is tried again at the next market event. A stop is replaced by sending the new one first;
    where risk refuses that, by cancelling the old one and sending the new one as soon as that is done.
    """

    def __init__(self, strategy: Any, exits: Exits) -> None:
        self.strategy = strategy
        self.exits = exits
        self.orders: dict[int, Any] = {}

    def on_bar(self, bar: Any) -> None:
        """A bar is over."""
        self._see(bar.instrument, bar.high, bar.low, bar.close, 1)

    def on_quote(self, quote: Any) -> None:
        """A quote: a long would be left at the bid, a short at the ask."""
        if 0.0 < quote.bid <= quote.ask:
            self._see(quote.instrument, quote.bid, quote.ask, None, 0)

    def on_trade(self, trade: Any) -> None:
        """A public trade."""
        self._see(trade.instrument, trade.price, trade.price, trade.price, 0)

    def on_fill(self, fill: Any) -> None:
        """The position changed."""
        self._manage(self._instrument(fill.symbol), None)

    def on_order(self, event: Any) -> None:
        """One of the exits' own orders may have ended."""
        if event.state not in _ENDED:
            return
        instrument = self._instrument(event.symbol)
        kept = self.strategy.exit_state.get(instrument.id)
        ident = event.client_order_id
        self.orders.pop(ident, None)
        if kept is None or ident not in (kept["stop_id"], kept["target_id"], kept["leave_id"]):
            return
        if ident == kept["target_id"] and event.state is OrderState.FILLED:
            kept["stage"] += 1
        for name in ("stop_id", "target_id", "leave_id"):
            if kept[name] == ident:
                kept[name] = 0
        if (
            event.state is OrderState.CANCELED
        ):  # rejected ones wait for the next market event, or they would go in circles
            self._manage(instrument, None)

    def on_split(self, instrument: Any, price_factor: float, qty_factor: float) -> None:
        """What is remembered is from here on in new shares, as the venue restates the orders that rest."""
        kept = self.strategy.exit_state.get(instrument.id)
        if kept is None:
            return
        for name in ("best", "stop_price"):
            kept[name] *= price_factor
        for name in ("qty", "stop_qty", "target_qty"):
            kept[name] *= qty_factor

    # ---- what is done

    def _instrument(self, symbol: str) -> Any:
        return next(item for item in self.strategy.instruments if item.symbol == symbol)

    def _see(self, instrument: Any, high: float, low: float, price: float | None, bars: int) -> None:
        kept = self.strategy.exit_state.get(instrument.id)
        if kept is not None:
            long = kept["side"] > 0
            kept["best"] = max(kept["best"], high) if long else min(kept["best"], low)
            kept["bars"] += bars
            if price is None:
                price = high if long else low
        self._manage(instrument, price)

    def _manage(self, instrument: Any, price: float | None) -> None:
        """Bring the resting orders to where they belong. price: where the position could be left, None between events."""
        position = self.strategy.position_in(instrument)
        state: dict[str, Any] = self.strategy.exit_state
        kept = state.get(instrument.id)
        qty = abs(position.qty)
        side = 1 if position.is_long else -1
        if kept is not None and (qty == 0.0 or kept["side"] != side):
            self._withdraw(kept)
            del state[instrument.id]
            kept = None
        if qty == 0.0:
            return
        entry = position.average_price
        if kept is None:
            kept = state[instrument.id] = {
                "side": side, "best": entry, "qty": qty, "bars": 0, "since": self.strategy.now, "stage": 0,
                "stop_id": 0, "stop_price": 0.0, "stop_qty": 0.0, "target_id": 0, "target_qty": 0.0, "leave_id": 0,
            }  # fmt: skip
        kept["qty"] = max(kept["qty"], qty)
        level = self.exits.stop_level(side, entry, kept["best"])
        if level is not None and level < _tick(instrument):
            level = None  # wider than the price itself: there is no such price to stop at
        beyond = level is not None and price is not None and (price - level) * side <= 0.0
        if kept["leave_id"] or beyond or self._is_late(kept):
            self._leave(instrument, kept, qty)
            return
        if level is not None:
            self._protect(instrument, kept, qty, level)
        self._aim(instrument, kept, qty, entry)

    def _is_late(self, kept: dict[str, Any]) -> bool:
        limit = self.exits.time_stop
        if limit is None:
            return False
        if isinstance(limit, int):
            return bool(kept["bars"] >= limit)
        return bool(self.strategy.now - kept["since"] >= limit // _MICROSECOND * 1000)

    def _leave(self, instrument: Any, kept: dict[str, Any], qty: float) -> None:
        """At the market, now; the resting orders go. Whichever fills, reduce_only keeps the position from turning."""
        if not kept["leave_id"]:
            kept["leave_id"] = self._send(instrument, kept, qty)
        self._withdraw(kept)

    def _protect(self, instrument: Any, kept: dict[str, Any], qty: float, level: float) -> None:
        """One stop for the whole position, which only ever comes nearer."""
        price = self.strategy.round_price(level, Rounding.NEAREST, instrument)
        if kept["stop_id"]:
            nearer = (price - kept["stop_price"]) * kept["side"] > 0.0
            if not nearer and qty <= kept["stop_qty"]:
                return
            price = price if nearer else kept["stop_price"]
        before = kept["stop_id"]
        sent = self._send(instrument, kept, qty, stop=price)
        if sent:
            kept["stop_id"], kept["stop_price"], kept["stop_qty"] = sent, price, qty
        if before:
            self._cancel(before)

    def _aim(self, instrument: Any, kept: dict[str, Any], qty: float, entry: float) -> None:
        """One limit order: at the next gain that something is left at."""
        found = self._next_target(instrument, kept, qty)
        if found is None:
            return
        gain, part, wanted = found
        if kept["target_id"]:
            if part is None and wanted > kept["target_qty"]:
                self._cancel(kept["target_id"])  # the position grew: sent again once it is gone
            return
        aim = entry + kept["side"] * self.exits.distance(gain, entry)
        if aim < _tick(instrument):
            return  # a short cannot gain more than the whole price
        price = self.strategy.round_price(aim, Rounding.NEAREST, instrument)
        kept["target_id"] = self._send(instrument, kept, wanted, limit=price)
        kept["target_qty"] = wanted

    def _next_target(
        self, instrument: Any, kept: dict[str, Any], qty: float
    ) -> tuple[float, float | None, float] | None:
        """Gain, part and quantity of the next target; those of less than a lot are passed over."""
        targets = self.exits.targets()
        while kept["stage"] < len(targets):
            gain, part = targets[kept["stage"]]
            wanted = qty if part is None else min(qty, _whole_lots(instrument, part * kept["qty"]))
            if wanted > 0.0:
                return gain, part, wanted
            kept["stage"] += 1
        return None

    def _send(self, instrument: Any, kept: dict[str, Any], qty: float, **terms: Any) -> int:
        """An order against the position. Its number; 0 where it was denied."""
        send = self.strategy.sell if kept["side"] > 0 else self.strategy.buy
        order = send(qty, reduce_only=True, instrument=instrument, **terms)
        if not order.is_open:
            return 0
        self.orders[order.id] = order
        return int(order.id)

    def _withdraw(self, kept: dict[str, Any]) -> None:
        for name in ("stop_id", "target_id"):
            if kept[name]:
                self._cancel(kept[name])

    def _cancel(self, ident: int) -> None:
        order = self.orders.get(ident)
        if order is None:  # after a restore
            order = next((entry for entry in self.strategy.open_orders if entry.id == ident), None)
        if order is not None:
            self.strategy.cancel(order)


def _is_amount(value: Any) -> bool:
    """Whether it is a finite number above 0."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 and math.isfinite(value)


def _tick(instrument: Any) -> float:
    """The lowest price there is, quote currency."""
    return float(instrument.tick_size / 10.0**instrument.price_decimals)


def _whole_lots(instrument: Any, qty: float) -> float:
    """Rounded down to a lot; 0.0 if that is below the least that can be traded."""
    scale = 10.0**instrument.qty_decimals
    units = int(qty * scale + 1e-9)
    units -= units % instrument.lot_size
    return float(units / scale) if units >= instrument.qty_min else 0.0


def watched(first: Any, handler: Any) -> Any:
    """A handler with another before it."""
    if handler is None:
        return first

    def both(event: Any) -> None:
        first(event)
        handler(event)

    return both
