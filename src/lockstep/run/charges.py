"""What holding costs, as events: funding of perpetual contracts from recorded rates, borrowing of shares by the day."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from lockstep.model.enums import AssetClass, CorporateAction, EventKind, Settlement
from lockstep.model.errors import DataError, InstrumentError, UsageError, did_you_mean
from lockstep.model.instrument import Instrument, Rounding
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.record import MARKET_EVENT, Records
from lockstep.run.feeds import InstrumentFeeds
from lockstep.run.source import Stream
from lockstep.store.catalog.funding import FundingRate, FundingRates

BORROW_DECIMALS = 15
BORROW_DAYS = 360
"""Of a year, as lenders of shares count it: a night costs a 360th of the yearly rate."""
_CHUNK = 4096

Funding = Mapping[str, FundingRates]
"""By symbol, or by id where a symbol is traded at several venues."""
NO_FUNDING: Funding = {}


def funding_by_instrument(funding: Funding, instruments: Sequence[Instrument]) -> dict[int, FundingRates]:
    """Whose funding it is. Raises: UsageError: an instrument the run does not have, or one that is no contract."""
    found: dict[int, FundingRates] = {}
    for name, rates in funding.items():
        places = [k for k, one in enumerate(instruments) if name.upper() in (one.symbol.upper(), one.id.upper())]
        if len(places) != 1:
            known = [one.id if places else one.symbol for one in instruments]
            raise UsageError(
                f"funding is given for {name!r}, and the run has {len(places) or 'no'} such instrument",
                hint=did_you_mean(name, known),
            )
        instrument = instruments[places[0]]
        if instrument.settlement is Settlement.CASH:
            raise UsageError(
                f"funding is given for {instrument.id}, and only contracts pay funding: it settles in cash",
                hint="its data would say that it is a perpetual contract, or leave the funding out",
            )
        found[places[0]] = rates
    return found


def charge_streams(
    feeds: Sequence[InstrumentFeeds],
    funding: Mapping[int, FundingRates],
    borrow: Decimal,
    start_ns: int | None,
    end_ns: int | None,
) -> list[Stream]:
    """A stream for each instrument that is charged, within what its data cover.

    borrow: a fraction a year of what is held short of shares, charged at each midnight UTC that it is held over.
    """
    streams = []
    for index, entry in enumerate(feeds):
        first = entry.first_ns if start_ns is None else max(entry.first_ns, start_ns)
        last = entry.last_ns if end_ns is None else min(entry.last_ns, end_ns)
        if index in funding:
            records = _chunks(_funding(entry.instrument, funding[index].rates, first, last))
            streams.append(Stream(entry.instrument.id, index, records, to_venue=False))
        if borrow and entry.instrument.asset_class is AssetClass.EQUITY:
            records = _chunks(_nights(borrow, first, last))
            streams.append(Stream(entry.instrument.id, index, records, to_venue=False))
    return streams


def _funding(
    instrument: Instrument, rates: Sequence[FundingRate], first_ns: int, last_ns: int
) -> Iterator[tuple[int, ...]]:
    for one in rates:
        if not first_ns < one.ts <= last_ns:
            continue
        try:
            # A mark price may stand between two ticks: to the nearest, it moves the payment by less than a tick's worth.
            mark = instrument.price_from(one.mark, Rounding.NEAREST) if one.mark else 0
        except InstrumentError as e:
            raise DataError(f"funding of {instrument.id}: the mark price {one.mark} cannot be one: {e}") from e
        yield one.ts, int(CorporateAction.FUNDING), one.rate, one.decimals, mark


def _nights(borrow: Decimal, first_ns: int, last_ns: int) -> Iterator[tuple[int, ...]]:
    exact = Fraction(borrow) / BORROW_DAYS * 10**BORROW_DECIMALS
    rate = -((-exact.numerator) // exact.denominator)  # up, against us
    for midnight in range((first_ns // NANOS_PER_DAY + 1) * NANOS_PER_DAY, last_ns + 1, NANOS_PER_DAY):
        yield midnight, int(CorporateAction.BORROW), rate, BORROW_DECIMALS, 0


def _chunks(rows: Iterator[tuple[int, ...]]) -> Iterator[Records]:
    waiting: list[tuple[int, ...]] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == _CHUNK:
            yield _records(waiting)
            waiting = []
    if waiting:
        yield _records(waiting)


def _records(rows: Sequence[tuple[int, ...]]) -> Records:
    table = np.array(rows, np.int64)
    records = np.zeros(len(rows), MARKET_EVENT)
    records["clock"] = records["ts_event"] = records["ts_open"] = table[:, 0]
    records["kind"], records["aux"] = EventKind.CORPORATE_ACTION, table[:, 1]
    records["p0"], records["p1"], records["p2"] = table[:, 2], table[:, 3], table[:, 4]
    return records
