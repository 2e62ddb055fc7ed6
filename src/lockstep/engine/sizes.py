"""Sizes of orders for a strategy: the arithmetic of `risk.sizing` with its account, its prices and its limits."""

import math
from typing import Any

from lockstep.engine.state import State
from lockstep.engine.subscription import Subscription
from lockstep.model.errors import ParseError, StrategyError
from lockstep.model.numbers import Number, exact_decimal, number_text
from lockstep.risk import sizing

_LOOKBACK = 20  # bars, where the limits say no volatility_lookback


def risk_size(state: State, sub: Subscription, stop: Number, part: float | None) -> float:
    """The quantity that loses `part` of equity between the last price and `stop`; at most the limits' max_account_risk.

    Raises: StrategyError: no price, no part here nor in the limits, or a stop that is no price or the last one.
    """
    most = sub.gate.bounds.account_risk_max
    if part is None and most is None:
        raise StrategyError(
            "how much to risk was said nowhere", hint="size_for_risk(stop, 0.01), or max_account_risk in [risk]"
        )
    wanted = min(entry for entry in (part, most) if entry is not None)
    scale = 10.0**sub.instrument.price_decimals
    loss = abs(_worth_of_one(sub, last_of(sub)) - _worth_of_one(sub, _price(stop) * scale))
    if not loss > 0.0:
        raise StrategyError(f"stop was {stop}, where the last price is: there is no distance to size by")
    return lots(sub, sizing.for_risk(state.portfolio.equity(), wanted, loss))


def volatility_size(state: State, sub: Subscription, target: float, window: Any) -> float:
    """The quantity that moves the account by `target` a year, by the volatility of the window's last bars; 0.0 before there are two.

    How many bars: the limits' volatility_lookback, else 20.
    """
    bars = min(len(window), sub.gate.bounds.volatility_lookback or _LOOKBACK)
    closes = [window.close(back) for back in range(bars - 1, -1, -1)]
    if bars < 2:
        return 0.0
    volatility = sizing.annual_volatility(closes, window.ts(bars - 1), window.ts(0))
    if not volatility > 0.0:
        return 0.0  # a price that does not move says nothing of how it will
    worth = _worth_of_one(sub, last_of(sub))
    return lots(sub, sizing.for_volatility(state.portfolio.equity(), target, volatility, worth))


def caution(state: State, sub: Subscription) -> float:
    """What to scale sizes by near the drawdown limit: 1.0 without one."""
    limit: float = sub.gate.bounds.drawdown_max
    peak: float = state.desk.peak
    if not math.isfinite(limit) or not peak > 0.0:
        return 1.0
    return sizing.caution((peak - state.portfolio.equity()) / peak, limit)


def last_of(sub: Subscription) -> float:
    """The last price, units. Raises: StrategyError: none is known."""
    last: float = sub.holding.last
    if not last > 0.0:
        raise StrategyError(f"no price of {sub.instrument.symbol} is known yet: nothing to size by")
    return last


def lots(sub: Subscription, qty: float) -> float:
    """A quantity rounded down to a lot; 0.0 if that is below the least that can be traded."""
    item = sub.instrument
    scale = 10.0**item.qty_decimals
    units = int(min(qty * scale, float(item.qty_max)))
    units -= units % item.lot_size
    return float(units / scale) if units >= item.qty_min else 0.0


def _price(stop: Number) -> float:
    """A stop as typed; off the tick is fine, since nothing is sent at it."""
    try:
        exact = exact_decimal(number_text(stop, "stop"))
    except ParseError as e:
        raise StrategyError(f"size_for_risk takes a price: {e}") from None
    if not exact > 0:
        raise StrategyError(f"size_for_risk takes the stop's price, above 0: was {stop}")
    return float(exact)


def _worth_of_one(sub: Subscription, price: float) -> float:
    """Of quantity 1 at a price in units, currency; an inverse contract's worth counts downwards."""
    holding = sub.holding
    worth: float = holding.in_account(holding.worth_at(price, 10.0**sub.instrument.qty_decimals))
    return abs(worth)
