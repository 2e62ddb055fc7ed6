"""What an order is worth to risk before it trades: at the price it may trade at, whatever price was typed."""

import cython

if cython.compiled:
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.portfolio.position import Holding


def order_worth(
    holding: Holding, side: cython.int, qty: cython.longlong, limit: cython.longlong, stop: cython.longlong
) -> cython.double:
    """Account currency worth of an order at its own price, or at the market's where it trades there and that is more.

    limit, stop: price units, 0 for none. nan where no price is known.
    """
    price: cython.longlong = limit if limit > 0 else stop
    market: cython.double = holding.last
    if price <= 0:
        return _worth_at(holding, qty, market)
    worth: cython.double = _worth_at(holding, qty, cython.cast(cython.double, price))
    if limit > 0 and stop > 0 and (stop - market) * side > 0.0:
        market = cython.cast(cython.double, stop)  # a limit order only once the price is there
    # To sell at 1 or better is to sell at the market; a stop that the price has passed trades there too.
    if (price - market) * (side if limit > 0 else -side) >= 0.0:
        there: cython.double = _worth_at(holding, qty, market)
        if there > worth:
            return there
    return worth


def _worth_at(holding: Holding, qty: cython.longlong, price: cython.double) -> cython.double:
    if not price > 0.0:
        return float("nan")
    worth: cython.double = holding.in_account(holding.valuation.mark(price, cython.cast(cython.double, qty)))
    return -worth if worth < 0.0 else worth  # an inverse contract's worth counts downwards
