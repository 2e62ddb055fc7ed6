"""What a strategy typed as a quantity or a price, in units: whole numbers of a lot or tick the short way, everything else by the instrument."""

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.subscription import Subscription
else:
    from lockstep.engine.subscription import Subscription
from lockstep.model.numbers import Number

_WHOLE = 2**52  # a Python int: one that is larger may not even be a float
_EXACT = cython.declare(cython.double, 4503599627370496.0)  # 2**52: up to here a float names one count of units


def units_of(sub: Subscription, qty: Number) -> cython.longlong:
    """Quantity units. Raises: InstrumentError: it can be no order's."""
    if type(qty) is float or (type(qty) is int and 0 < qty < _WHOLE):
        scaled: cython.double = cython.cast(cython.double, qty) * sub.qty_scale
        if 0.0 < scaled < _EXACT:
            units: cython.longlong = cython.cast(cython.longlong, scaled + 0.5)
            if units / sub.qty_scale == qty and units % sub.lot == 0 and sub.qty_min <= units <= sub.qty_max:
                return units
    return sub.instrument.qty_from(qty)


def price_of(sub: Subscription, price: Number) -> cython.longlong:
    """Price units. Raises: InstrumentError: it can be no order's."""
    if type(price) is float or (type(price) is int and 0 < price < _WHOLE):
        scaled: cython.double = cython.cast(cython.double, price) * sub.scale
        if 0.0 < scaled < _EXACT:
            units: cython.longlong = cython.cast(cython.longlong, scaled + 0.5)
            if units / sub.scale == price and units % sub.tick == 0 and 0 < units <= sub.price_max:
                return units
    return sub.instrument.price_from(price)
