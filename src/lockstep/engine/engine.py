"""The engine: a pure machine. Market events, venue reports and timers in; requests for the venue out.

    market event -> prices -> indicators -> strategy -> risk -> orders -> outbox
    venue report -> orders -> portfolio -> strategy -> risk -> orders -> outbox

It reads no clock, draws no random number and does no I/O: what it is given decides what it does.
"""

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.book.standing import Book
    from cython.cimports.lockstep.engine.actions import take_action
    from cython.cimports.lockstep.engine.amendments import (
        lose,
        open_order,
        take_amendment,
        take_late_word,
        take_stranger,
    )
    from cython.cimports.lockstep.engine.books import KnownBooks, change_of
    from cython.cimports.lockstep.engine.groups import after_fill, follow
    from cython.cimports.lockstep.engine.replacing import take_answer
    from cython.cimports.lockstep.engine.rowlog import RowLog
    from cython.cimports.lockstep.engine.seat import Seat
    from cython.cimports.lockstep.engine.state import State
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.model.events import Bar, Quote, Trade, make_bar, make_quote, make_trade
    from cython.cimports.lockstep.model.rows import EventRows
    from cython.cimports.lockstep.model.traffic import VenueReport
    from cython.cimports.lockstep.orders.order import Order
    from cython.cimports.lockstep.portfolio.portfolio import Portfolio
    from cython.cimports.lockstep.portfolio.position import Holding
else:
    from lockstep.book.standing import Book
    from lockstep.engine.actions import take_action
    from lockstep.engine.amendments import lose, open_order, take_amendment, take_late_word, take_stranger
    from lockstep.engine.books import KnownBooks, change_of
    from lockstep.engine.groups import after_fill, follow
    from lockstep.engine.replacing import take_answer
    from lockstep.engine.rowlog import RowLog
    from lockstep.engine.seat import Seat
    from lockstep.engine.state import State
    from lockstep.engine.subscription import Subscription
    from lockstep.model.events import Bar, Quote, Trade, make_bar, make_quote, make_trade
    from lockstep.model.rows import EventRows
    from lockstep.model.traffic import VenueReport
    from lockstep.orders.order import Order
    from lockstep.portfolio.portfolio import Portfolio
    from lockstep.portfolio.position import Holding

from lockstep.engine.commands import command_of
from lockstep.engine.records import EQUITY_WORDS, MARGIN_CALL, MARGIN_CLEAR
from lockstep.engine.rowlog import Sink
from lockstep.engine.seating import check_seat
from lockstep.model.enums import EventKind, OrderEventKind, OrderState, Who
from lockstep.model.errors import DataError, InvariantError
from lockstep.model.messages import Command, Signal, Timer
from lockstep.model.numbers import Nanos
from lockstep.model.record import Records
from lockstep.risk.limits import NO_LIMITS, RiskLimits
from lockstep.strategy.base import Strategy

_NOTICES_MAX = 100_000  # order events handed over in one step

_ACTION = cython.declare(cython.int, int(EventKind.CORPORATE_ACTION))
_BOOK = cython.declare(cython.int, int(EventKind.BOOK))
_TRADE = cython.declare(cython.int, int(EventKind.TRADE))
_QUOTE = cython.declare(cython.int, int(EventKind.QUOTE))
_BAR = cython.declare(cython.int, int(EventKind.BAR))
_FILL = cython.declare(cython.int, int(OrderEventKind.FILL))
_PARTIAL = cython.declare(cython.int, int(OrderEventKind.PARTIAL))
_SYSTEM = cython.declare(cython.int, int(Who.SYSTEM))
_REPLACE = cython.declare(cython.int, int(OrderEventKind.REPLACE))
_REPLACE_REJECT = cython.declare(cython.int, int(OrderEventKind.REPLACE_REJECT))
_RESTATE = cython.declare(cython.int, int(OrderEventKind.RESTATE))
_DENIED = cython.declare(cython.int, int(OrderState.DENIED))
_NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
_NO_LIMITS = RiskLimits()


@cython.final
@cython.cclass
class Engine:
    """One engine, owned by one thread.

    seats: the strategies, in the order they were added, which is the order they see an event in. equity: one row per
    distinct market clock. books: of the instruments that have any.
    orphans: reports about orders that are not known, counted by kind.
    """

    state: State
    portfolio: Portfolio
    seats: list[Seat]
    equity: RowLog
    books: KnownBooks
    events: cython.longlong
    bars: cython.longlong
    quotes: cython.longlong
    trades: cython.longlong
    next_timer: cython.longlong
    market_ts: cython.longlong
    orphans: dict[str, int]
    by_instrument: list[list[Subscription]]
    by_series: list[list[list[Subscription]]]
    instruments: list[Any]
    timers: list[tuple[int, int, int, str, int]]
    timer_seq: cython.longlong
    active: Seat | None

    def __init__(
        self,
        portfolio: Portfolio,
        *,
        decision_sinks: Sequence[Sink] = (),
        fill_sinks: Sequence[Sink] = (),
        equity_sinks: Sequence[Sink] = (),
        signal_sink: Callable[[Signal], object] | None = None,
    ) -> None:
        self.portfolio = portfolio
        self.state = State(portfolio, list(decision_sinks), list(fill_sinks), signal_sink or _forget)
        self.seats = []
        self.equity = RowLog(EQUITY_WORDS, list(equity_sinks))
        self.events = 0
        self.bars = 0
        self.quotes = 0
        self.trades = 0
        self.next_timer = _NEVER
        self.market_ts = 0
        self.orphans = {}
        self.instruments = [holding.instrument for holding in portfolio.holdings]
        self.by_instrument = [[] for _ in self.instruments]
        self.by_series = [[[]] for _ in self.instruments]
        self.books = KnownBooks(len(self.instruments))
        self.timers = []
        self.timer_seq = 0
        self.active = None

    # ---- setting up

    def add_strategy(
        self,
        strategy: Strategy,
        name: str,
        instruments: Sequence[int],
        limits: RiskLimits = NO_LIMITS,
        series: Mapping[int, int] | None = None,
    ) -> None:
        """Seat a strategy instance at some of the instruments (by index).

        Args:   series: by instrument, which of its bars the strategy gets: 0, the data's own, unless said.
        Raises: StrategyError: it could never act.
        """
        cls = type(strategy)
        index = len(self.seats)
        check_seat(cls, name, len(instruments), {seat.name for seat in self.seats})
        subs = []
        for instrument in instruments:
            position = self.portfolio.add_position(name, index, instrument)
            which = 0 if series is None else series.get(instrument, 0)
            number = len(self.state.subscriptions)
            sub = Subscription(number, name, index, position, limits, cls.cooldown_bars, which, self.state.desk)
            self.state.subscriptions.append(sub)
            self.by_instrument[instrument].append(sub)
            lists = self.by_series[instrument]
            lists.extend([] for _ in range(len(lists), which + 1))
            lists[which].append(sub)
            subs.append(sub)
        self.seats.append(Seat(index, name, strategy, self.state, subs, self.add_timer))

    def add_timer(self, seat: int, name: str, at: int, every: int) -> None:
        """Wake a strategy at a time, and again every so often where `every` is above 0 (ns)."""
        self.timer_seq += 1
        heappush(self.timers, (at, self.timer_seq, seat, name, every))
        self.next_timer = self.timers[0][0]

    def start(self, clock: int) -> None:
        """Before the first event: on_start of every strategy, in order."""
        self.state.clock = clock
        self.state.basis_ts = clock
        self.market_ts = clock
        for entry in self.seats:
            seat: Seat = cython.cast(Seat, entry)
            self.active = seat
            seat.strategy.on_start()
            seat.starting = False
        self.hand_over()

    def stop(self) -> None:
        """After the last event: on_stop of every strategy; then the logs hand on what they hold."""
        for entry in self.seats:
            seat: Seat = cython.cast(Seat, entry)
            self.active = seat
            seat.strategy.on_stop()
        self.active = None
        self.state.outbox.clear()  # there is no venue left to hear it
        self.flush()

    def flush(self) -> None:
        """Hand on every log's rows."""
        self.state.decisions.flush()
        self.state.fills.flush()
        self.equity.flush()

    # ---- what a person, or who watches over the run, may do

    def lose(self, order_id: int, who: Who = Who.SYSTEM) -> bool:
        """What became of an open order is not known: no answer in time, a session lost. It is UNKNOWN until the venue speaks.

        Returns: False where that is known already. Raises: RefuseError: no open order has the number.
        """
        lost = lose(self.state, open_order(self.state, order_id), int(who))
        return lost and self.hand_over() == 0

    def cancel(self, order_id: int, who: Who = Who.TRADER) -> bool:
        """Ask the venue to cancel an open order, whoever sent it; the request waits in the outbox as a strategy's does.

        Returns: False where it was asked before. Raises: RefuseError: no open order has the number.
        """
        return self.state.cancel(open_order(self.state, order_id), int(who))

    def suspend(self, instrument: int, who: Who = Who.TRADER) -> None:
        """Let only cancels and what reduces a position pass in an instrument (by index), until `lift`."""
        self.state.suspend(self.portfolio.holdings[instrument], 0, int(who))

    def lift(self, instrument: int, who: Who = Who.TRADER) -> None:
        """End an instrument's suspension (by index). Nothing else does: what led to it has to be looked at first."""
        self.state.lift(self.portfolio.holdings[instrument], int(who))

    # ---- inputs

    def step(self, event: Records | VenueReport | None) -> list[Command]:
        """One input: a market event record (an array of one), a venue report, or None for the next timer.

        Returns: the commands it led to, in order. The compiled run loop calls the parts below directly.
        Raises: DataError: the event is older than the clock. Whatever a handler raises passes through.
        """
        if event is None:
            self.fire_timer()
        elif isinstance(event, VenueReport):
            self.on_report(event)
        else:
            rows = EventRows()
            rows.hold(event)
            self.on_market(rows, 0)
        names = [seat.name for seat in self.seats]
        commands = [
            command_of(request, names[request.strategy], self.instruments[request.instrument].id)
            for request in self.state.outbox
        ]
        self.state.outbox.clear()
        return commands

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def on_market(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A market event: row i."""
        clock: cython.longlong = rows.w[i, 0]
        if clock < self.state.clock:
            raise DataError(f"event goes back in time: its clock was {clock}, the engine's is {self.state.clock}")
        self.state.clock = clock
        if rows.w[i, 1] > self.market_ts:
            self.market_ts = rows.w[i, 1]
        self.state.basis_ts = self.market_ts
        self.events += 1
        self._on_event(rows, i)
        if len(self.state.later) > 0:
            self.hand_over()
        return 0

    def on_history(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """An event from before the start, row i: indicators and windows take it, on_history sees it, nothing may trade.

        The clock stands still, no event is counted and the account does not move.
        """
        self.state.in_history = True
        self._on_event(rows, i)
        self.state.in_history = False
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def _on_event(self, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        kind: cython.int = rows.w[i, 3] & 0xFF
        instrument: cython.int = rows.w[i, 3] >> 32
        if kind == _BAR:
            return self._on_bar(instrument, (rows.w[i, 3] >> 16) & 0xFFFF, rows, i)
        if kind == _QUOTE:
            return self._on_quote(instrument, rows, i)
        if kind == _TRADE:
            return self._on_trade(instrument, rows, i)
        if kind == _BOOK:
            return self._on_book(instrument, rows, i)
        if kind == _ACTION:
            what: cython.int = (rows.w[i, 3] >> 16) & 0xFFFF
            subs: list[Subscription] = self.by_instrument[instrument]
            self.books.on_action(instrument, what)
            return take_action(self.state, subs, instrument, what, rows.w[i, 4], rows.w[i, 5], rows.w[i, 6])
        raise DataError(f"unknown kind of market event: {kind}")

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)  # scales are powers of ten
    def _on_bar(self, instrument: cython.int, series: cython.int, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        subs: list[Subscription] = cython.cast(list, self.by_series[instrument])[series]
        sub: Subscription
        seat: Seat
        bar: Bar | None = None
        k: cython.Py_ssize_t
        high: cython.longlong = rows.w[i, 5]
        low: cython.longlong = rows.w[i, 6]
        close: cython.longlong = rows.w[i, 7]
        volume: cython.double = rows.f[i, 8]
        history: cython.bint = self.state.in_history
        self.bars += not history
        if series == 0:  # what is made from finer data says nothing new of the price
            cython.cast(Holding, self.portfolio.holdings[instrument]).show(close, rows.w[i, 0])
        for k in range(len(subs)):
            sub = cython.cast(Subscription, subs[k])
            if history and rows.w[i, 9] < sub.history_from:
                continue
            sub.bars += 1
            if sub.indicators is not None:
                sub.indicators.update_bar(high / sub.scale, low / sub.scale, close / sub.scale, volume)
            if sub.window is not None:
                sub.window.append(
                    rows.w[i, 1], rows.w[i, 4] / sub.scale, high / sub.scale, low / sub.scale, close / sub.scale, volume
                )
            seat = cython.cast(Seat, self.seats[sub.seat_index])
            handler = seat.on_history if history else seat.on_bar
            if handler is not None and (sub.ready or history or sub.look_ready()):
                if bar is None:
                    bar = make_bar(
                        sub.instrument, sub.scale, rows.w[i, 0], rows.w[i, 1], rows.w[i, 2],
                        rows.w[i, 4], high, low, close, volume, rows.w[i, 9], (rows.w[i, 3] >> 8) & 1,
                    )  # fmt: skip
                self.active = seat
                handler(bar)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)  # scales are powers of ten
    def _on_quote(self, instrument: cython.int, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A change of the best prices. One with a side missing, or crossed, says no price: indicators pass it over."""
        subs: list[Subscription] = self.by_instrument[instrument]
        sub: Subscription
        seat: Seat
        quote: Quote | None = None
        k: cython.Py_ssize_t
        bid: cython.longlong = rows.w[i, 4]
        ask: cython.longlong = rows.w[i, 5]
        mid: cython.double
        history: cython.bint = self.state.in_history
        priced: cython.bint = 0 < bid <= ask
        self.quotes += not history
        if priced:
            cython.cast(Holding, self.portfolio.holdings[instrument]).show((bid + ask) >> 1, rows.w[i, 0])
        for k in range(len(subs)):
            sub = cython.cast(Subscription, subs[k])
            if history and rows.w[i, 1] < sub.history_from:
                continue
            sub.quotes += 1
            if priced and sub.quote_indicators is not None:
                mid = cython.cast(cython.double, bid + ask) / (2.0 * sub.scale)
                sub.quote_indicators.update_bar(mid, mid, mid, 0.0)
            seat = cython.cast(Seat, self.seats[sub.seat_index])
            handler = seat.on_history if history else seat.on_quote
            if handler is not None and (sub.ready or history or sub.look_ready()):
                if quote is None:
                    quote = make_quote(
                        sub.instrument, sub.scale, sub.qty_scale, rows.w[i, 0], rows.w[i, 1], rows.w[i, 2],
                        bid, ask, rows.w[i, 6], rows.w[i, 7],
                    )  # fmt: skip
                self.active = seat
                handler(quote)
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    @cython.cdivision(True)  # scales are powers of ten
    def _on_trade(self, instrument: cython.int, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A public trade: the last price, indicators of trades, then whoever handles it."""
        subs: list[Subscription] = self.by_instrument[instrument]
        sub: Subscription
        seat: Seat
        trade: Trade | None = None
        k: cython.Py_ssize_t
        units: cython.longlong = rows.w[i, 4]
        price: cython.double
        aux: cython.int = (rows.w[i, 3] >> 16) & 0xFFFF
        history: cython.bint = self.state.in_history
        holding: Holding = cython.cast(Holding, self.portfolio.holdings[instrument])
        holding.show(units, rows.w[i, 0])
        self.trades += not history
        for k in range(len(subs)):
            sub = cython.cast(Subscription, subs[k])
            if history and rows.w[i, 1] < sub.history_from:
                continue
            sub.trades += 1
            if sub.trade_indicators is not None:
                price = cython.cast(cython.double, units) / sub.scale
                sub.trade_indicators.update_bar(
                    price, price, price, cython.cast(cython.double, rows.w[i, 5]) / sub.qty_scale
                )
            if sub.features is not None:
                sub.features.hear_trade(self.books.books[instrument], rows, i)
            seat = cython.cast(Seat, self.seats[sub.seat_index])
            handler = seat.on_history if history else seat.on_trade
            if handler is not None and (sub.ready or history or sub.look_ready()):
                if trade is None:
                    trade = make_trade(
                        sub.instrument, sub.scale, sub.qty_scale, rows.w[i, 0], rows.w[i, 1], rows.w[i, 2],
                        units, rows.w[i, 5], rows.w[i, 6], aux - 2 if aux > 0 else 0,
                    )  # fmt: skip
                self.active = seat
                handler(trade)
        return 0

    def _on_book(self, instrument: cython.int, rows: EventRows, i: cython.Py_ssize_t) -> cython.int:
        """A change of the book, before the start as well; at the end of its group features and handlers hear of it."""
        update: object = None
        book: Book | None = self.books.books[instrument]
        if not self.books.tell(rows, i, cython.cast(Holding, self.portfolio.holdings[instrument])):
            return 0
        for entry in self.by_instrument[instrument]:
            sub: Subscription = cython.cast(Subscription, entry)
            if sub.features is not None and book is not None:
                sub.features.hear_book(book, rows.w[i, 0])
            seat: Seat = cython.cast(Seat, self.seats[sub.seat_index])
            if self.state.in_history or seat.on_book is None or not (sub.ready or sub.look_ready()):
                continue
            if update is None:
                update = change_of(rows, i, sub)
            self.active = seat
            seat.on_book(update)
        return 0

    def on_report(self, report: VenueReport) -> cython.int:
        """A venue's word about one of our orders."""
        if report.clock > self.state.clock:
            self.state.clock = report.clock
        # Whoever reacts to it has seen what happened at ts_event, so it may meet no price of that instant, such as the
        # open of another instrument's bar; nor one older than the market events seen, however late the report is.
        self.state.basis_ts = self.market_ts if self.market_ts > report.ts_event else report.ts_event + 1
        order: Order | None = self.state.orders.find(report.order_id)
        if order is None or order.state_code == _DENIED:  # that one never reached a venue
            name = OrderEventKind(report.kind).name
            self.orphans[name] = self.orphans.get(name, 0) + 1
            return take_stranger(self.state, report)
        if report.venue_order_id:  # a word about an order the venue no longer knows carries none
            order.venue_order_id = report.venue_order_id
        done: cython.bint = order.is_done()
        if not done:
            order.reason_code = report.reason
        if report.kind == _FILL or report.kind == _PARTIAL:
            self._on_fill(order, report)
        elif report.kind > _RESTATE:  # CORRECT, BUST
            take_amendment(self.state, order, report)
            if order.group_id > 0:
                follow(self.state, order)
        elif done:
            take_late_word(self.state, order, report)
        else:
            self._on_word(order, report)
        if len(self.state.later) > 0:
            self.hand_over()
        return 0

    def _on_word(self, order: Order, report: VenueReport) -> cython.int:
        """Anything but a fill."""
        sub: Subscription = cython.cast(Subscription, self.state.subscriptions[order.owner_index])
        seat: Seat = cython.cast(Seat, self.seats[order.strategy_index])
        leaves: cython.longlong = order.open_units()
        if report.kind == _RESTATE:
            self.state.restate(sub, order, report)
        elif report.kind == _REPLACE or report.kind == _REPLACE_REJECT:
            take_answer(self.state, sub, order, report)
        else:
            self.state.orders.apply(order, report.kind)
            if order.is_done():
                self.state.release(sub, order, leaves, leaves)
            cum: cython.longlong = order.cum_units
            left: cython.longlong = order.leaves_units
            self.state.log_order(report.kind, order, report.ts_event, cum, left, report.venue_order_id, 0)
        if order.group_id > 0 and report.kind != _RESTATE:  # a split was followed when it happened
            follow(self.state, order)
        if seat.on_order is not None:
            self.state.notify(order, report.kind, report.ts_event)
        return 0

    def _on_fill(self, order: Order, report: VenueReport) -> cython.int:
        """Orders, then the account, then the strategy: on_order and on_fill see the position already changed."""
        state: State = self.state
        sub: Subscription = cython.cast(Subscription, state.subscriptions[order.owner_index])
        seat: Seat = cython.cast(Seat, self.seats[order.strategy_index])
        if order.knows(report.exec_id):
            state.orders.duplicates += 1
            return 0
        leaves: cython.longlong = order.open_units()
        over: cython.longlong = state.orders.overfills
        state.orders.apply_fill(order, report.qty, report.price)
        state.orders.keep_execution(order, report)
        kind: cython.int = _FILL if order.is_done() and order.cum_units >= order.qty_units else _PARTIAL
        if leaves > 0:
            state.release(sub, order, report.qty if report.qty < leaves else leaves, leaves)
        self.portfolio.book_fill(sub.position, order.side_sign, report.price, report.qty, report.fee)
        state.log_fill(order, report, kind)
        if state.orders.overfills != over:
            state.suspend(sub.holding, order.order_id, _SYSTEM)
        if len(state.groups) > 0:
            after_fill(state, sub, order)
        state.watch_position(sub, order.side_sign)
        if sub.position.units == 0 and sub.cooldown_bars > 0:
            # The bar inside which it went flat is not over: its own on_bar, the next, does not count.
            sub.cooldown_until = sub.bars + 1 + sub.cooldown_bars
        if seat.on_order is not None:
            state.notify(order, kind, report.ts_event)
        if seat.on_fill is not None:
            self.hand_over()
            self.active = seat
            seat.on_fill(state.fill_fact(order, report))
        return 0

    def fire_timer(self) -> cython.int:
        """The next timer is due: its time becomes the clock. Raises: InvariantError: there is none."""
        if not self.timers:
            raise InvariantError("no timer is set")
        at, _, index, name, every = heappop(self.timers)
        self.next_timer = self.timers[0][0] if self.timers else _NEVER
        if at > self.state.clock:
            self.state.clock = at
        self.state.basis_ts = self.state.clock
        if 0 < every < _NEVER - at:
            self.add_timer(index, name, at + every, every)
        seat: Seat = cython.cast(Seat, self.seats[index])
        if seat.on_timer is not None:
            self.active = seat
            seat.on_timer(Timer(ts=Nanos(at), name=name, strategy_index=index))
        return self.hand_over()

    def hand_over(self) -> cython.int:
        """Order events that waited for a handler to return. A handler may cause more; they follow, in order."""
        later: list[Any] = self.state.later
        at: cython.Py_ssize_t = 0
        while at < len(later):
            index, event = later[at]
            seat: Seat = cython.cast(Seat, self.seats[index])
            if seat.on_order is not None:
                self.active = seat
                seat.on_order(event)
            at += 1
            if at > _NOTICES_MAX:
                raise InvariantError(f"{seat.name}: on_order keeps causing order events: {_NOTICES_MAX} in one step")
        later.clear()
        return 0

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def mark(self, clock: cython.longlong) -> cython.int:
        """Mark the account to the last prices: one row of the equity curve."""
        log: RowLog = self.equity
        i: cython.Py_ssize_t = log.row()
        portfolio: Portfolio = self.portfolio
        changed: cython.int = portfolio.mark()
        log.ints[i, 0] = clock
        log.floats[i, 1] = portfolio.marked_equity
        log.floats[i, 2] = portfolio.marked_cash
        log.floats[i, 3] = portfolio.marked_gross
        log.floats[i, 4] = portfolio.marked_net
        log.floats[i, 5] = portfolio.marked_margin
        if changed != 0:
            self.state.log_margin(MARGIN_CALL if changed > 0 else MARGIN_CLEAR)
        self.state.watch_losses(clock)
        return 0

    # ---- facts

    @property
    def active_strategy(self) -> str:
        """The strategy whose handler ran last, for error messages; empty before the first."""
        return "" if self.active is None else self.active.name

    def open_orders(self) -> list[Order]:
        """Every order that is not done."""
        return list(self.state.orders.by_id.values())


def _forget(signal: Signal) -> None:
    """Where nobody keeps signals."""
