"""Market events and traffic: exact inside, rounded once when read, never empty, never changed."""

import copy
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.enums import AssetClass, BookAction
from lockstep.model.errors import DataError, HaltError, LockstepError, UsageError, did_you_mean
from lockstep.model.events import Bar, BookUpdate, Quote, Trade, make_bar, make_book_update, make_quote, make_trade
from lockstep.model.instrument import Instrument
from lockstep.model.record import MARKET_EVENT, VOLUME, floats, words
from lockstep.model.traffic import OrderRequest, VenueReport, make_report, make_request, make_terms
from lockstep.orders.order import Order

ITEM = Instrument(
    venue="XNAS", symbol="AAPL", asset_class=AssetClass.EQUITY, base_currency="AAPL", quote_currency="USD",
    price_decimals=2, qty_decimals=3,
)  # fmt: skip


def events() -> list[Any]:
    return [
        make_bar(ITEM, 100.0, 3, 2, 1, 10000, 10200, 9900, 10100, 5.5, 0),
        make_quote(ITEM, 100.0, 1000.0, 3, 2, 1, 10000, 10001, 1500, 2500),
        make_trade(ITEM, 100.0, 1000.0, 3, 2, 1, 10029, 1500, 77, -1),
        make_book_update(ITEM, 100.0, 1000.0, 3, 2, 1, 10029, 1500, 9, 1, int(BookAction.SET)),
    ]


@pytest.mark.parametrize("cls", [Bar, Quote, Trade, BookUpdate, OrderRequest, VenueReport, Order])
def test_event_made_empty_is_refused_with_the_way_to_make_it(cls: Any) -> None:
    for made in (cls, lambda: cls(1, 2), lambda: cls(price=1)):
        with pytest.raises(TypeError, match=r"is made by|is made from|is what buy"):
            made()


def test_events_read_as_floats_of_their_units() -> None:
    bar, quote, trade, update = events()
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (100.0, 102.0, 99.0, 101.0, 5.5)
    assert (bar.ts_open, bar.ts_event, bar.ts_recv, bar.seq) == (0, 2, 3, 1)
    assert (quote.bid, quote.ask, quote.mid, quote.bid_qty, quote.ask_qty) == (100.0, 100.01, 100.005, 1.5, 2.5)
    assert (trade.price, trade.qty, trade.aggressor, trade.trade_id) == (100.29, 1.5, -1, 77)
    assert (update.price, update.qty, update.side, update.action, update.order_id) == (100.29, 1.5, 1, 1, 9)
    assert {event.symbol for event in events()} == {"AAPL"}


def test_events_say_what_they_are() -> None:
    assert [repr(event).partition("(")[0] for event in events()] == ["Bar", "Quote", "Trade", "BookUpdate"]
    assert "bid 100.29 x 1.5" in repr(events()[3])


@given(units=st.integers(1, 2**53), decimals=st.integers(0, 15))
def test_event_price_is_the_correctly_rounded_float_and_gives_the_units_back(units: int, decimals: int) -> None:
    bar = make_bar(ITEM, 10.0**decimals, 0, 0, 0, units, units, units, units, 0.0, 0)
    assert bar.close == float(Fraction(units, 10**decimals))
    assert units > 2**52 or round(Fraction(bar.close) * 10**decimals) == units


@pytest.mark.compiled
def test_events_cannot_be_written_or_extended() -> None:
    for event in events():
        for name in ("ts_event", "instrument", "symbol", "colour"):
            with pytest.raises(AttributeError):
                setattr(event, name, 1)
        with pytest.raises(TypeError):
            type("Mine", (type(event),), {})


def test_bar_copied_reads_the_same() -> None:
    bar = events()[0]
    assert repr(copy.copy(bar)) == repr(bar)


def test_request_and_report_have_every_field() -> None:
    terms = make_terms(1, 2, 1, 3, 100, 10025, 0, 7, 8, 9)
    request = make_request(0, 1, 2, 10, 9, 5, terms)
    report = make_report(5, 2, 11, 10, 5, 900, 0)
    assert (request.order_id, request.terms, make_request(2, 1, 2, 10, 9, 5, None).terms) == (5, terms, None)
    assert (terms.side, terms.order_type, terms.time_in_force, terms.flags) == (1, 2, 1, 3)
    assert (terms.qty, terms.limit_price, terms.stop_price, terms.trail) == (100, 10025, 0, 7)
    assert (terms.expire_ts, terms.signal_id) == (8, 9)
    assert (report.kind, report.order_id, report.venue_order_id, report.qty, report.fee) == (5, 5, 900, 0, 0)


def test_record_words_are_the_same_memory_and_refuse_other_arrays() -> None:
    records = np.zeros(3, MARKET_EVENT)
    records["p3"], records["volume"] = 10100, 5.5
    assert words(records)[1].tolist()[:4] == [0, 0, 0, 0]
    assert floats(records)[2, VOLUME] == 5.5
    for wrong in (records[::2], np.zeros(3), records["p0"]):
        with pytest.raises(DataError, match="not contiguous"):
            words(wrong)  # type: ignore[arg-type]


def test_errors_say_what_the_system_does_next() -> None:
    assert UsageError("x").exit_code == 2
    assert LockstepError("x", hint="y").hint == "y"
    assert issubclass(HaltError, LockstepError)
    assert did_you_mean("fst", ["fast", "slow"]) == "did you mean 'fast'?"
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("zzz", []) == "none is known"
