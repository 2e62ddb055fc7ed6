"""What the risk gate looks at when an order comes in, worked out again from the account as it stands just before.

The gate itself says yes, or which rule said no, in as few steps as it can; this says of each rule what the limit was and what
the order would have made of it, in the order in which they are asked. The first that does not pass is the one that refuses.
"""

import math
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.engine.records import field
from lockstep.model.enums import OrderType, Reason
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.limits import RiskLimits

Check = dict[str, Any]


def checks_before(portfolio: Portfolio, submitted: NDArray[np.int64], limits: RiskLimits) -> list[Check]:
    """Each check as rule, limit (None: there is none), actual and passed; base units, or currency.

    Args: submitted: the SUBMIT or DENY of the order in the decision log, which is about to be made.
    """
    head = submitted[2:3]
    side, kind, index = (int(field(head, name)[0]) for name in ("side", "type", "instrument"))
    qty, limit_price, stop_price = (int(word) for word in submitted[4:7])
    holding = portfolio.holdings[index]
    scale = 10.0**holding.instrument.qty_decimals
    pending = holding.pending_buy if side > 0 else holding.pending_sell
    price = limit_price or (0 if kind == OrderType.TRAILING_STOP else stop_price) or holding.last_units
    units = float(holding.valuation.worth(price, qty)) if price > 0 else 0.0
    worth = abs(units) / 10.0**holding.valuation.ledger_decimals
    checks = [
        _at_most(Reason.ORDER_QTY, limits.order_qty_max, qty / scale),
        _at_most(Reason.POSITION, limits.position_max, (holding.units * side + pending + qty) / scale),
        _check(Reason.NO_REFERENCE_PRICE, None, holding.last / 10.0**holding.instrument.price_decimals, worth > 0.0),
    ]
    if limits.buying_power and worth > 0.0:
        needed = holding.exposure_max(side, qty, worth) - holding.exposure_max(0, 0, 0.0)
        free = portfolio.buying_power()
        checks.append(_check(Reason.BUYING_POWER, free, needed, needed <= max(free, 0.0)))
    return checks


def _at_most(rule: Reason, limit: Decimal | None, actual: float) -> Check:
    return _check(rule, None if limit is None else float(limit), actual, limit is None or actual <= limit)


def _check(rule: Reason, limit: float | None, actual: float, passed: bool) -> Check:
    return {
        "rule": rule.name,
        "limit": limit,
        "actual": actual if math.isfinite(actual) else None,
        "passed": passed,
    }
