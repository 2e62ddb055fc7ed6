"""Which currency the account counts in, and where the rates of the others come from; decided before a run begins.

A rate is stated, or it is the last price of an instrument among the data that is the pair itself: EURUSD, or USDEUR turned
round. There is no rate through a third currency: it would be two prices of two times.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from lockstep.model.enums import Settlement
from lockstep.model.errors import RefuseError, did_you_mean
from lockstep.model.instrument import Instrument
from lockstep.model.numbers import Money, Number, exact_fraction

NO_RATES: Mapping[str, Number] = {}


class RateSource(NamedTuple):
    """Where a currency's rate comes from: stated (of the account's currency for 1 of it), or the instrument at a place in the list.

    inverted: the instrument prices the account's currency in this one.
    """

    currency: str
    stated: Fraction | None = None
    place: int = -1
    inverted: bool = False


def account_currency(instruments: Sequence[Instrument], currency: str | None) -> str:
    """What the account counts in: what was said, or the one currency that everything settles in.

    Raises: RefuseError: several, and none was said.
    """
    settled = sorted({instrument.currency for instrument in instruments})
    if currency:
        return currency
    if len(settled) > 1:
        raise RefuseError(
            f"these instruments settle in {len(settled)} currencies: {', '.join(settled)}",
            hint=f"say which one the account counts in, such as --currency {settled[-1]}, or run them separately",
        )
    return settled[0]


def rate_sources(
    instruments: Sequence[Instrument], currency: str, stated: Mapping[str, Number] = NO_RATES
) -> list[RateSource]:
    """A source for each other currency that something settles in, in order of their names. A stated rate wins.

    Raises: RefuseError: no rate can be known, or one was stated that is not above 0 or of no use.
    """
    needed = sorted({instrument.currency for instrument in instruments} - {currency})
    for name in stated:
        if name not in needed:
            raise RefuseError(
                f"a rate is stated for {name}, and nothing settles in it but in {', '.join([currency, *needed])}",
                hint=did_you_mean(name, needed) if needed else "leave it out",
            )
    return [_source(instruments, currency, name, stated) for name in needed]


def _source(instruments: Sequence[Instrument], currency: str, name: str, stated: Mapping[str, Number]) -> RateSource:
    if name in stated:
        rate = exact_fraction(stated[name], f"the rate of {name}")
        if rate <= 0:
            raise RefuseError(f"the rate of {name} was {stated[name]}, must be above 0")
        return RateSource(name, rate)
    for pair, inverted in (((name, currency), False), ((currency, name), True)):
        for index, instrument in enumerate(instruments):
            if _is_pair(instrument, *pair):
                return RateSource(name, place=index, inverted=inverted)
    settles = [instrument.id for instrument in instruments if instrument.currency == name]
    raise RefuseError(
        f"no rate of {name} in {currency} is known, and {', '.join(settles[:3])} settles in {name}",
        hint=f"add prices of {name}{currency} or {currency}{name} to the data, or state it: rates = {{{name} = 1.25}}",
    )


def _is_pair(instrument: Instrument, base: str, quote: str) -> bool:
    """Whether an instrument's price is how much of `quote` is paid for 1 of `base`."""
    return (
        instrument.settlement is Settlement.CASH
        and (instrument.base_currency, instrument.quote_currency) == (base, quote)
        and instrument.currency == quote
        and instrument.multiplier == 1
    )


def converted(units: Money | Fraction, rate: Fraction | None) -> Money:
    """Ledger units of another currency in the account's, rounded down, once. rate None: the account's own currency."""
    exact = Fraction(units) if rate is None else units * rate
    return exact.numerator // exact.denominator
