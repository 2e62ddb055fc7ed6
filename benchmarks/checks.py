"""Limits that are looked at by every check and met by no order: what the risk gate costs is measured with them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lockstep.risk.limits import RiskLimits, StrategyLimits

_SECOND = 1_000_000_000
_FAR = Decimal(10**12)
STRATEGY = "bench"
CHECKS: dict[str, dict[str, Any]] = {
    "order_qty": {"order_qty_max": _FAR},
    "position": {"position_max": _FAR},
    "buying_power": {"buying_power": True},
    "stale_price": {"price_age_max_ns": 86_400 * _SECOND},
    "price_band": {"price_band": Decimal("0.05")},
    "order_notional": {"order_notional_max": _FAR, "order_fraction_max": Decimal(1)},
    "position_notional": {"position_notional_max": _FAR, "position_fraction_max": Decimal(1)},
    "open_orders": {"open_orders_max": 1000},
    "strategy_position": {"strategies": {STRATEGY: StrategyLimits(position_max=_FAR)}},
    "self_trade": {"self_trade": True},
    "positions": {"positions_max": 1000},
    "gross_exposure, leverage": {"gross_max": _FAR, "leverage_max": Decimal(100)},
    "net_exposure": {"net_max": _FAR},
    "daily_loss, drawdown": {"daily_loss_max": Decimal("0.9"), "drawdown_max": Decimal("0.9")},
    "open orders of account, strategy": {
        "account_open_orders_max": 100_000, "strategies": {STRATEGY: StrategyLimits(open_orders_max=100_000)},
    },
    "duplicate": {"duplicate_ns": 1},
    "throttles": {
        "orders_per_second": 1000, "account_orders_per_second": 10_000,
        "strategies": {STRATEGY: StrategyLimits(orders_per_second=10_000)},
    },
}  # fmt: skip
"""Each check alone: limits that are looked at and not met. Beside them only what every order is checked for."""


def every_check(strategy: str) -> RiskLimits:
    """All of them at once, those of a strategy too."""
    together = {name: value for check in CHECKS.values() for name, value in check.items() if name != "strategies"}
    own = StrategyLimits(
        order_qty_max=_FAR,
        order_notional_max=_FAR,
        position_max=_FAR,
        open_orders_max=100_000,
        orders_per_second=10_000,
    )
    return RiskLimits(**together, session_hours=True, cancels_per_second=10_000, strategies={strategy: own})
