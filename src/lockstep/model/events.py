"""Market events as a strategy meets them: exact units inside, the correctly rounded float when read.

A fresh object per event, so a strategy may keep it. Fields are read-only. Times are ns UTC. Each holds its `instrument`;
a division by 10**decimals in the property costs nothing measurable beside the attribute protocol.
"""

import cython

from lockstep.model.instrument import Instrument


@cython.final
@cython.no_gc  # holds an Instrument, which never points back: no cycle is possible
@cython.freelist(8)
@cython.cclass
class Bar:
    """One bar, known at its end.

    ts_open: its start; ts_event: its end; ts_recv: when we know it. *_units: price units. volume: base units. is_carried:
    nothing traded in it, it repeats the last price (a run does so where it is asked to).
    """

    instrument: Instrument
    ts_event: cython.longlong
    ts_open: cython.longlong
    ts_recv: cython.longlong
    seq: cython.longlong
    open_units: cython.longlong
    high_units: cython.longlong
    low_units: cython.longlong
    close_units: cython.longlong
    volume: cython.double
    is_carried: cython.bint
    scale: cython.double

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always: an event comes from a record, with every field set."""
        raise TypeError("a Bar is made from recorded data by make_bar(), never empty")

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        symbol: str = self.instrument.symbol
        return symbol

    @property
    def open(self) -> float:
        """First price, quote currency."""
        return self.open_units / self.scale

    @property
    def high(self) -> float:
        """Highest price, quote currency."""
        return self.high_units / self.scale

    @property
    def low(self) -> float:
        """Lowest price, quote currency."""
        return self.low_units / self.scale

    @property
    def close(self) -> float:
        """Last price, quote currency."""
        return self.close_units / self.scale

    def __repr__(self) -> str:
        return (
            f"Bar({self.symbol}, ts_event={self.ts_event}, open={self.open}, high={self.high}, "
            f"low={self.low}, close={self.close}, volume={self.volume})"
        )


@cython.final
@cython.no_gc
@cython.freelist(8)
@cython.cclass
class Quote:
    """The best bid and ask. *_units: price and quantity units."""

    instrument: Instrument
    ts_event: cython.longlong
    ts_recv: cython.longlong
    seq: cython.longlong
    bid_units: cython.longlong
    ask_units: cython.longlong
    bid_qty_units: cython.longlong
    ask_qty_units: cython.longlong
    scale: cython.double
    qty_scale: cython.double

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always: an event comes from a record, with every field set."""
        raise TypeError("a Quote is made from recorded data by make_quote(), never empty")

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        symbol: str = self.instrument.symbol
        return symbol

    @property
    def bid(self) -> float:
        """Best bid, quote currency."""
        return self.bid_units / self.scale

    @property
    def ask(self) -> float:
        """Best ask, quote currency."""
        return self.ask_units / self.scale

    @property
    def bid_qty(self) -> float:
        """Quantity at the best bid, base units."""
        return self.bid_qty_units / self.qty_scale

    @property
    def ask_qty(self) -> float:
        """Quantity at the best ask, base units."""
        return self.ask_qty_units / self.qty_scale

    @property
    def mid(self) -> float:
        """Halfway between bid and ask, quote currency."""
        return (self.bid_units + self.ask_units) / (2.0 * self.scale)

    def __repr__(self) -> str:
        return (
            f"Quote({self.symbol}, ts_event={self.ts_event}, bid={self.bid} x {self.bid_qty}, "
            f"ask={self.ask} x {self.ask_qty})"
        )


@cython.final
@cython.no_gc
@cython.freelist(8)
@cython.cclass
class Trade:
    """A public trade. aggressor: +1 a buyer took, -1 a seller, 0 unknown."""

    instrument: Instrument
    ts_event: cython.longlong
    ts_recv: cython.longlong
    seq: cython.longlong
    price_units: cython.longlong
    qty_units: cython.longlong
    trade_id: cython.longlong
    aggressor: cython.int
    scale: cython.double
    qty_scale: cython.double

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always: an event comes from a record, with every field set."""
        raise TypeError("a Trade is made from recorded data by make_trade(), never empty")

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        symbol: str = self.instrument.symbol
        return symbol

    @property
    def price(self) -> float:
        """Quote currency."""
        return self.price_units / self.scale

    @property
    def qty(self) -> float:
        """Base units."""
        return self.qty_units / self.qty_scale

    def __repr__(self) -> str:
        return f"Trade({self.symbol}, ts_event={self.ts_event}, price={self.price}, qty={self.qty})"


@cython.final
@cython.no_gc
@cython.freelist(8)
@cython.cclass
class BookUpdate:
    """One change of a book. side: +1 bid, -1 ask. action: a BookAction. order_id: 0 where only levels are known."""

    instrument: Instrument
    ts_event: cython.longlong
    ts_recv: cython.longlong
    seq: cython.longlong
    price_units: cython.longlong
    qty_units: cython.longlong
    order_id: cython.longlong
    side: cython.int
    action: cython.int
    scale: cython.double
    qty_scale: cython.double

    def __init__(self, *_args: object, **_fields: object) -> None:
        """Raises: TypeError, always: an event comes from a record, with every field set."""
        raise TypeError("a BookUpdate is made from recorded data by make_book_update(), never empty")

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        symbol: str = self.instrument.symbol
        return symbol

    @property
    def price(self) -> float:
        """Quote currency."""
        return self.price_units / self.scale

    @property
    def qty(self) -> float:
        """Base units; 0 removes the level."""
        return self.qty_units / self.qty_scale

    def __repr__(self) -> str:
        side = "bid" if self.side > 0 else "ask"
        return f"BookUpdate({self.symbol}, ts_event={self.ts_event}, {side} {self.price} x {self.qty})"


def make_bar(
    instrument: Instrument,
    scale: cython.double,
    ts_recv: cython.longlong,
    ts_event: cython.longlong,
    seq: cython.longlong,
    open_units: cython.longlong,
    high_units: cython.longlong,
    low_units: cython.longlong,
    close_units: cython.longlong,
    volume: cython.double,
    ts_open: cython.longlong,
    is_carried: cython.bint = False,
) -> Bar:
    """A bar from checked units. scale: 10.0**price_decimals."""
    bar: Bar = Bar.__new__(Bar)
    bar.instrument = instrument
    bar.scale = scale
    bar.ts_recv = ts_recv
    bar.ts_event = ts_event
    bar.seq = seq
    bar.open_units = open_units
    bar.high_units = high_units
    bar.low_units = low_units
    bar.close_units = close_units
    bar.volume = volume
    bar.ts_open = ts_open
    bar.is_carried = is_carried
    return bar


def make_quote(
    instrument: Instrument,
    scale: cython.double,
    qty_scale: cython.double,
    ts_recv: cython.longlong,
    ts_event: cython.longlong,
    seq: cython.longlong,
    bid: cython.longlong,
    ask: cython.longlong,
    bid_qty: cython.longlong,
    ask_qty: cython.longlong,
) -> Quote:
    """A quote from checked units. scale, qty_scale: 10.0**decimals."""
    quote: Quote = Quote.__new__(Quote)
    quote.instrument = instrument
    quote.scale = scale
    quote.qty_scale = qty_scale
    quote.ts_recv = ts_recv
    quote.ts_event = ts_event
    quote.seq = seq
    quote.bid_units = bid
    quote.ask_units = ask
    quote.bid_qty_units = bid_qty
    quote.ask_qty_units = ask_qty
    return quote


def make_trade(
    instrument: Instrument,
    scale: cython.double,
    qty_scale: cython.double,
    ts_recv: cython.longlong,
    ts_event: cython.longlong,
    seq: cython.longlong,
    price: cython.longlong,
    qty: cython.longlong,
    trade_id: cython.longlong,
    aggressor: cython.int,
) -> Trade:
    """A trade from checked units. scale, qty_scale: 10.0**decimals."""
    trade: Trade = Trade.__new__(Trade)
    trade.instrument = instrument
    trade.scale = scale
    trade.qty_scale = qty_scale
    trade.ts_recv = ts_recv
    trade.ts_event = ts_event
    trade.seq = seq
    trade.price_units = price
    trade.qty_units = qty
    trade.trade_id = trade_id
    trade.aggressor = aggressor
    return trade


def make_book_update(
    instrument: Instrument,
    scale: cython.double,
    qty_scale: cython.double,
    ts_recv: cython.longlong,
    ts_event: cython.longlong,
    seq: cython.longlong,
    price: cython.longlong,
    qty: cython.longlong,
    order_id: cython.longlong,
    side: cython.int,
    action: cython.int,
) -> BookUpdate:
    """A book update from checked units. scale, qty_scale: 10.0**decimals."""
    update: BookUpdate = BookUpdate.__new__(BookUpdate)
    update.instrument = instrument
    update.scale = scale
    update.qty_scale = qty_scale
    update.ts_recv = ts_recv
    update.ts_event = ts_event
    update.seq = seq
    update.price_units = price
    update.qty_units = qty
    update.order_id = order_id
    update.side = side
    update.action = action
    return update
