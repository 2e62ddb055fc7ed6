"""How much to trade: plain arithmetic on floats, without an account. What a strategy calls (`self.size...`) gives it the account.

A quantity here is before rounding to a lot: the account's side rounds down, so that no rule is passed by rounding.
"""

import math
from collections.abc import Sequence

from lockstep.model.errors import UsageError

NANOS_PER_YEAR = 365.25 * 86_400 * 1e9
CAUTION_FROM = 0.5
"""From this part of the drawdown limit on, sizes are scaled down."""


def for_equity(equity: float, part: float, worth_of_one: float) -> float:
    """The quantity worth `part` of equity. worth_of_one: of quantity 1 at the present price, currency. 0.0 without equity."""
    _positive("worth of one", worth_of_one)
    return max(0.0, equity * part) / worth_of_one


def for_risk(equity: float, part: float, loss_of_one: float) -> float:
    """The quantity that loses `part` of equity at its stop. loss_of_one: of quantity 1 from here to the stop, currency.

    Raises: UsageError: the stop is where the price is: any quantity would do.
    """
    _positive("distance of the stop", loss_of_one)
    return max(0.0, equity * part) / loss_of_one


def for_volatility(equity: float, target: float, volatility: float, worth_of_one: float) -> float:
    """The quantity whose worth moves by `target` of equity a year. volatility: of the price, a year, as a part of it."""
    _positive("worth of one", worth_of_one)
    _positive("volatility", volatility)
    return max(0.0, equity * target) / (volatility * worth_of_one)


def annual_volatility(closes: Sequence[float], first_ns: int, last_ns: int) -> float:
    """Root of the squared log returns' sum over the years between the first close and the last: any bars, with any gaps.

    Returns: as a part of the price; nan for fewer than two closes. Raises: UsageError: a price or a time that cannot be.
    """
    if len(closes) < 2:
        return math.nan
    if last_ns <= first_ns or not all(close > 0.0 for close in closes):
        raise UsageError("volatility needs closes above 0, the last of them later than the first")
    total = math.fsum(math.log(after / before) ** 2 for before, after in zip(closes, closes[1:], strict=False))
    return math.sqrt(total / ((last_ns - first_ns) / NANOS_PER_YEAR))


def caution(drawdown: float, limit: float, begins: float = CAUTION_FROM) -> float:
    """What to scale sizes by near a drawdown limit: 1.0 up to `begins` of it, from there in a line down to 0.0 at the limit.

    Args: drawdown, limit: parts of the highest equity, above 0 for a loss.
    """
    if not 0.0 <= begins < 1.0:
        raise UsageError(f"begins was {begins}, must be from 0 to below 1")
    if not limit > 0.0:
        return 0.0
    return min(1.0, max(0.0, (limit - drawdown) / (limit * (1.0 - begins))))


def _positive(what: str, value: float) -> None:
    if not (value > 0.0 and math.isfinite(value)):
        raise UsageError(f"{what} was {value}, must be above 0: there is nothing to size by")
