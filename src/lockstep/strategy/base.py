# cython: annotation_typing=False
"""The base class of every strategy. An ordinary Python class: a subclass of a compiled one would pay double for `self.x`.

Its methods are compiled, which takes a tenth off an order: a dozen keywords are given their defaults in C. Annotations stay words: what a
user types is checked by the seat, and must not become a C number before.
"""

import inspect
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, NoReturn

from lockstep.model.enums import SignalAction, TimeInForce
from lockstep.model.errors import ParseError, StateError, StrategyError, did_you_mean
from lockstep.model.instrument import Instrument, Rounding
from lockstep.model.messages import Fill, OrderEvent, Timer
from lockstep.model.numbers import NANOS_PER_DAY, NANOS_PER_SECOND, Number, exact_decimal, number_text
from lockstep.orders.order import Order
from lockstep.strategy.exits import Exits, Following
from lockstep.strategy.params import Param, check_params, collect_params

STATE_SCHEMA_VERSION = 1

HANDLERS = (
    "on_start", "on_history", "on_bar", "on_quote", "on_trade", "on_book", "on_order", "on_fill", "on_timer", "on_stop",
)  # fmt: skip
MARKET_HANDLERS = ("on_bar", "on_quote", "on_trade", "on_book", "on_timer")
HISTORY_BARS_MAX = 1_000_000
_SPAN = re.compile(r"([1-9][0-9]{0,3})(m|h|d)")
_SPAN_NS = {"m": 60 * NANOS_PER_SECOND, "h": 3600 * NANOS_PER_SECOND, "d": NANOS_PER_DAY}
_TUPLE = "$tuple"


class _Unseated:
    """What a strategy has for an engine before it is given to one: every use says when the engine will be there."""

    def __getattr__(self, name: str) -> Any:
        raise StrategyError(
            f"a strategy has no engine yet: {name} was used too early",
            hint="orders, prices and indicators begin in on_start",
        )

    def owns(self, value: object) -> bool:
        """Nothing is the engine's."""
        return False


class Several:
    """What `self.position` and `self.instrument` are in a strategy with several instruments: an error that says so."""

    def __init__(self, strategy: str) -> None:
        self.__dict__["strategy"] = strategy

    def _refuse(self) -> NoReturn:
        raise StrategyError(
            f"{self.__dict__['strategy']} trades several instruments: there is no one position or instrument",
            hint="use self.position_in(bar.instrument) and bar.instrument",
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __bool__(self) -> bool:  # noqa: PLE0304 - it never returns
        self._refuse()


class Strategy:
    """Write a subclass, declare parameters as annotated class attributes, and override the handlers you need.

    One instance trades one instrument (a run on five instruments makes five, each with its own position); set
    `trades = "all"` for one instance that sees them all, and name the instrument in each call.

        class EmaCross(Strategy):
            fast: int = 10
            slow: int = 20

            def on_start(self) -> None:
                self.cross = self.indicator(CrossOver(EMA(self.fast), EMA(self.slow)))

            def on_bar(self, bar: Bar) -> None:
                if self.cross.up:
                    self.buy(self.size(0.95))
                elif self.cross.down:
                    self.close()

    Class settings: `trades` ("one" or "all"); `cooldown_bars`: bars after going flat in which no new position may be
    opened; `wait_for_indicators`: the market handlers start once every declared indicator of the instrument is ready;
    `history`: what to be shown from before the start, as a number of bars (200) or a time ("30d", "4h"): indicators and
    windows take it, and on_history where it is written.
    """

    trades: ClassVar[str] = "one"
    cooldown_bars: ClassVar[int] = 0
    wait_for_indicators: ClassVar[bool] = True
    history: ClassVar[int | str] = 0
    parameters: ClassVar[dict[str, Param]] = {}

    instrument: Instrument
    position: Any
    _seat: Any = _Unseated()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.parameters = collect_params(cls, Strategy)
        if cls.trades not in ("one", "all"):
            raise StrategyError(f"{cls.__name__}.trades was {cls.trades!r}", hint='write "one" or "all"')
        if isinstance(cls.cooldown_bars, bool) or not isinstance(cls.cooldown_bars, int) or cls.cooldown_bars < 0:
            raise StrategyError(f"{cls.__name__}.cooldown_bars was {cls.cooldown_bars!r}, must be a whole number >= 0")
        if not isinstance(cls.wait_for_indicators, bool):
            raise StrategyError(
                f"{cls.__name__}.wait_for_indicators was {cls.wait_for_indicators!r}, must be True or False"
            )
        history_of(cls)
        for name, value in cls.__dict__.items():
            if callable(value) or isinstance(value, (staticmethod, classmethod)):
                _check_handler(cls, name)

    def __init__(self, **params: Any) -> None:
        """Raises: StrategyError: an unknown parameter, or a value that does not fit."""
        for name, value in check_params(type(self).__name__, type(self).parameters, params).items():
            setattr(self, name, value)

    # ---- handlers, to override

    def on_start(self) -> None:
        """Before the first event: declare indicators, windows and timers here."""

    def on_history(self, event: Any) -> None:
        """A bar, quote or trade from before the start: no order can be sent yet."""

    def on_bar(self, bar: Any) -> None:
        """A bar is over."""

    def on_quote(self, quote: Any) -> None:
        """The best bid or ask changed."""

    def on_trade(self, trade: Any) -> None:
        """A public trade."""

    def on_book(self, update: Any) -> None:
        """The book changed: the last of the changes that the venue made as one. The book itself is `self.book()`."""

    def on_order(self, event: OrderEvent) -> None:
        """One of this strategy's orders changed its state."""

    def on_fill(self, fill: Fill) -> None:
        """One of this strategy's orders was filled, wholly or in part; the position is already updated."""

    def on_timer(self, timer: Timer) -> None:
        """A timer set with `set_timer` is due."""

    def on_stop(self) -> None:
        """After the last event."""

    # ---- what to know

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The instruments of this instance."""
        instruments: tuple[Instrument, ...] = self._seat.instruments
        return instruments

    @property
    def now(self) -> int:
        """The engine's clock, ns UTC: the time of the event being handled."""
        clock: int = self._seat.clock
        return clock

    @property
    def equity(self) -> float:
        """The account's equity at the last prices, account currency."""
        equity: float = self._seat.equity
        return equity

    @property
    def cash(self) -> float:
        """The account's cash, account currency."""
        cash: float = self._seat.cash
        return cash

    @property
    def buying_power(self) -> float:
        """Exposure that may still be opened, account currency."""
        power: float = self._seat.buying_power
        return power

    @property
    def portfolio(self) -> Any:
        """The whole account, read-only: exposure, margin, drawdown, concentration, profit by strategy and symbol."""
        return self._seat.portfolio

    @property
    def open_orders(self) -> list[Any]:
        """This instance's orders that are not done, oldest first."""
        orders: list[Any] = self._seat.open_orders()
        return orders

    def position_in(self, instrument: Instrument | str) -> Any:
        """This instance's position in one of its instruments."""
        return self._seat.position_in(instrument)

    def last_price(self, instrument: Instrument | str | None = None) -> float:
        """The latest price, quote currency; nan before the first."""
        price: float = self._seat.last_price(instrument)
        return price

    def book(self, instrument: Instrument | str | None = None) -> Any:
        """The order book as known now, read-only: `bid`, `ask`, `mid`, `bids(5)`, `is_good`. Raises: StrategyError: none there."""
        return self._seat.book(instrument)

    # ---- what to declare

    def indicator(self, indicator: Any, instrument: Instrument | str | None = None, *, on: str | None = None) -> Any:
        """Have an indicator (and what it reads) updated before each handler. Returns it. Allowed in on_start alone.

        A feature of `lockstep.features.micro` is updated with the book and the trades of the instrument, and takes no `on`.

        Args: on: "bars", "quotes" (it reads the mid) or "trades" (price and quantity); by default what the strategy
              handles: bars where it has on_bar, else quotes where it has on_quote, else trades.
        """
        return self._seat.add_indicator(indicator, instrument, on)

    def window(self, capacity: int = 10_000, instrument: Instrument | str | None = None) -> Any:
        """Keep the last bars of an instrument: a MarketWindow, updated before each on_bar. Allowed in on_start alone."""
        return self._seat.add_window(capacity, instrument)

    def set_timer(
        self, name: str = "", *, at: int | None = None, after: timedelta | None = None, every: timedelta | None = None
    ) -> None:
        """Call on_timer at a time (ns UTC), after a delay, or every so often.

        Raises: StrategyError: none or several of them given, no timedelta, or a time that has passed.
        """
        given = [value for value in (at, after, every) if value is not None]
        if len(given) != 1:
            raise StrategyError(f"set_timer takes one of at=, after=, every=: was given {len(given)}")
        if at is not None:
            self._seat.add_timer(name, at, 0)
            return
        delay = after if after is not None else every
        if not isinstance(delay, timedelta):
            raise StrategyError(f"set_timer takes a timedelta for after= and every=: was {delay!r}")
        delay_ns = (delay // timedelta(microseconds=1)) * (NANOS_PER_SECOND // 1_000_000)
        self._seat.add_timer(name, self.now + delay_ns, 0 if every is None else delay_ns)

    # ---- what to do

    def buy(
        self,
        qty: Number,
        *,
        limit: Number | None = None,
        stop: Number | None = None,
        trail: Number | None = None,
        trail_bps: Number | None = None,
        tif: TimeInForce | str = TimeInForce.GTC,
        expire: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        display_qty: Number | None = None,
        take_profit: Number | None = None,
        stop_loss: Number | None = None,
        signal: int = 0,
        instrument: Instrument | str | None = None,
    ) -> Any:
        """Buy: a market order; with limit= a limit, with stop= a stop, with both a stop limit. Returns the Order.

        trail=, trail_bps=: a trailing stop, this far from the best price since it arrived: in quote currency, or in hundredths
        of a percent of that price. post_only: a limit that is rejected rather than take. reduce_only: only what
        reduces this instance's position is filled, the rest is cancelled. display_qty: how much of a limit is shown at
        a time, the rest in reserve behind it (an iceberg); 0 shows nothing of it. take_profit=, stop_loss=: prices of a limit and a
        stop on the other side that close what is filled, each as it fills; a fill of one makes the other smaller.
        """
        if take_profit is not None or stop_loss is not None:
            return self._seat.submit_bracket(
                1, qty, take_profit, stop_loss, limit=limit, stop=stop, trail=trail, trail_bps=trail_bps, tif=tif,
                expire=expire, post_only=post_only, reduce_only=reduce_only, signal=signal, instrument=instrument,
                display_qty=display_qty,
            )  # fmt: skip
        return self._seat.submit(
            1,
            qty,
            limit,
            stop,
            trail,
            trail_bps,
            tif,
            expire,
            post_only,
            reduce_only,
            signal,
            instrument,
            display_qty,
        )

    def sell(
        self,
        qty: Number,
        *,
        limit: Number | None = None,
        stop: Number | None = None,
        trail: Number | None = None,
        trail_bps: Number | None = None,
        tif: TimeInForce | str = TimeInForce.GTC,
        expire: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        display_qty: Number | None = None,
        take_profit: Number | None = None,
        stop_loss: Number | None = None,
        signal: int = 0,
        instrument: Instrument | str | None = None,
    ) -> Any:
        """Sell: as `buy`. Selling more than is held goes short."""
        if take_profit is not None or stop_loss is not None:
            return self._seat.submit_bracket(
                -1, qty, take_profit, stop_loss, limit=limit, stop=stop, trail=trail, trail_bps=trail_bps, tif=tif,
                expire=expire, post_only=post_only, reduce_only=reduce_only, signal=signal, instrument=instrument,
                display_qty=display_qty,
            )  # fmt: skip
        return self._seat.submit(
            -1,
            qty,
            limit,
            stop,
            trail,
            trail_bps,
            tif,
            expire,
            post_only,
            reduce_only,
            signal,
            instrument,
            display_qty,
        )

    def order(self, qty: Number, **options: Any) -> Any:
        """Buy a positive quantity or sell a negative one; options as for `buy`. Returns the Order.

        Raises: StrategyError: no finite number.
        """
        try:
            exact = exact_decimal(number_text(qty, "quantity"))
        except ParseError as e:
            raise StrategyError(f"order takes a positive or negative quantity: {e}") from None
        if exact < 0:
            return self.sell(exact.copy_negate(), **options)
        return self.buy(qty, **options)

    def cancel(self, order: Any = None) -> bool:
        """Ask to cancel one order, or all open ones. True if there was anything to cancel."""
        cancelled: bool = self._seat.cancel(order)
        return cancelled

    def replace(
        self, order: Any, *, qty: Number | None = None, limit: Number | None = None, stop: Number | None = None
    ) -> bool:
        """Ask for another total quantity (what is filled included), limit or stop of an open order; the rest stays.

        The order stays the same object: PENDING_REPLACE until the venue answers, and it may fill meanwhile. A total at or
        below what is filled cancels the rest. False where there was nothing to ask: done, unknown, an answer still out, or
        refused by risk, of which order.reason says why.
        """
        asked: bool = self._seat.replace(order, qty, limit, stop)
        return asked

    def oco(self, orders: Any) -> bool:
        """One cancels the others: the first fill of any of these orders cancels the rest. An order can be in one group only.

        An order that ends without a fill leaves the others as they are. False where fewer than two of them are open.
        """
        linked: bool = self._seat.link_orders(orders)
        return linked

    def close(self, instrument: Instrument | str | None = None, signal: int = 0) -> Any:
        """Bring the position to 0 with a market order, counting market orders on their way. Returns the Order or None."""
        return self._seat.target_units(0, instrument, signal)

    def target_position(self, qty: Number, instrument: Instrument | str | None = None, signal: int = 0) -> Any:
        """Bring the position to a signed quantity with a market order, counting market orders on their way."""
        return self._seat.target_position(qty, instrument, signal)

    def signal(
        self,
        action: SignalAction | str,
        confidence: float = 1.0,
        *,
        target: float | None = None,
        stop: float | None = None,
        reasoning: str = "",
        instrument: Instrument | str | None = None,
    ) -> int:
        """Record a signal; give its id to an order as `signal=`. action: BUY, SELL or HOLD."""
        signal_id: int = self._seat.add_signal(action, confidence, target, stop, reasoning, instrument)
        return signal_id

    def cool_down(self, bars: int, instrument: Instrument | str | None = None) -> None:
        """Open no new position for this many bars."""
        self._seat.cool_down(bars, instrument)

    def size(self, weight: float, instrument: Instrument | str | None = None) -> float:
        """The quantity that `weight` of the account's equity buys at the last price, rounded down to a lot; 0.0 if none."""
        qty: float = self._seat.size(weight, instrument)
        return qty

    def size_for_risk(
        self, stop: Number, part: float | None = None, instrument: Instrument | str | None = None
    ) -> float:
        """The quantity that loses `part` of equity if it is left at `stop`, rounded down to a lot; 0.0 if none.

        part: at most the limits' max_account_risk, which is also what is taken where it is left out.
        """
        qty: float = self._seat.size_for_risk(stop, part, instrument)
        return qty

    def size_for_volatility(self, target: float, window: Any, instrument: Instrument | str | None = None) -> float:
        """The quantity that moves the account by `target` a year (0.1 is 10 %), rounded down to a lot; 0.0 if none.

        window: of `self.window()`; its last bars (the limits' volatility_lookback, else 20) say how the price moves.
        """
        qty: float = self._seat.size_for_volatility(target, window, instrument)
        return qty

    @property
    def caution(self) -> float:
        """What to scale sizes by near the drawdown limit: 1.0 up to half of it, then in a line down to 0.0 at it."""
        scale: float = self._seat.caution()
        return scale

    def attach(self, exits: Exits) -> None:
        """Have every position of this instance left by `exits`. Allowed in on_start alone."""
        self.exit_state: dict[str, Any] = {}
        self._seat.attach(Following(self, exits))

    def round_price(
        self, price: Number, rounding: Rounding = Rounding.NEAREST, instrument: Instrument | str | None = None
    ) -> float:
        """A price on the tick, quote currency."""
        used = self._seat.position_in(instrument).instrument
        return float(used.price_from(price, rounding) / 10.0**used.price_decimals)

    def round_qty(
        self, qty: Number, rounding: Rounding = Rounding.DOWN, instrument: Instrument | str | None = None
    ) -> float:
        """A quantity on the lot, base units."""
        used = self._seat.position_in(instrument).instrument
        return float(used.qty_from(qty, rounding) / 10.0**used.qty_decimals)

    # ---- state

    def save_state(self) -> dict[str, Any]:
        """The instance's own attributes, as plain data: numbers, texts, lists, tuples and dicts of them.

        What the engine saves or knows itself (indicators, windows, cooldowns, positions, instruments) is left out, alone or
        gathered in a list, tuple or dict: on_start makes it anew. Of an order keep the id.
        Raises: StateError: an attribute that is no plain data, named.
        """
        state: dict[str, Any] = {}
        for name, value in vars(self).items():
            if name.startswith("_") or name in type(self).parameters or name in ("instrument", "position"):
                continue
            if self._is_engines(value):
                continue
            state[name] = _plain(name, value)
        return {"schema_version": STATE_SCHEMA_VERSION, "attributes": state}

    def _is_engines(self, value: Any) -> bool:
        if isinstance(value, (list, tuple, dict)) and value:
            return all(self._is_engines(entry) for entry in (value.values() if isinstance(value, dict) else value))
        return isinstance(value, Instrument) or bool(self._seat.owns(value))

    def restore_state(self, saved: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave. Raises: StateError: of another schema version, or not what it gave."""
        if saved.get("schema_version") != STATE_SCHEMA_VERSION:
            raise StateError(
                f"strategy state has schema version {saved.get('schema_version')!r}, this build reads {STATE_SCHEMA_VERSION}"
            )
        attributes = saved.get("attributes")
        if not isinstance(attributes, Mapping):
            raise StateError("strategy state has no attributes: it is not what save_state gave")
        for name in attributes:
            if name.startswith("_") or hasattr(Strategy, name):
                raise StateError(f"strategy state names {name!r}, which is no attribute of a strategy's own")
        for name, value in attributes.items():
            setattr(self, name, _restored(value))


def history_of(cls: type[Strategy]) -> tuple[int, int]:
    """What a strategy asks to be shown from before the start, as (bars, ns); one of them is 0.

    Raises: StrategyError: neither a number of bars nor a time.
    """
    value = cls.history
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HISTORY_BARS_MAX:
        return value, 0
    match = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise StrategyError(
            f"{cls.__name__}.history was {value!r}",
            hint=f'a number of bars from 0 to {HISTORY_BARS_MAX}, or a time such as "4h" or "30d"',
        )
    return 0, int(match[1]) * _SPAN_NS[match[2]]


def _check_handler(cls: type[Strategy], name: str) -> None:
    """Refuse a handler that would never be called, or could not be."""
    if name not in HANDLERS:
        meant = [handler for handler in HANDLERS if handler.replace("_", "") == name.replace("_", "").lower()]
        if name.startswith("on_") or meant:
            hint = did_you_mean(meant[0] if meant else name, HANDLERS)
            raise StrategyError(f"{cls.__name__}.{name} is no handler and would never be called", hint=hint)
        return
    handler = getattr(cls, name)
    if inspect.iscoroutinefunction(handler):
        raise StrategyError(f"{cls.__name__}.{name} is async and would never run", hint="write def without async")
    names = list(inspect.signature(getattr(Strategy, name)).parameters)
    try:
        inspect.signature(handler).bind(*names)
    except TypeError:
        raise StrategyError(
            f"{cls.__name__}.{name}{inspect.signature(handler)} cannot be called",
            hint=f"def {name}({', '.join(names)})",
        ) from None


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)  # of a numpy float or an IntEnum the plain value
    if isinstance(value, tuple):
        return {_TUPLE: [_plain(name, entry) for entry in value]}
    if isinstance(value, list):
        return [_plain(name, entry) for entry in value]
    if isinstance(value, dict) and all(isinstance(key, str) and key != _TUPLE for key in value):
        return {key: _plain(name, entry) for key, entry in value.items()}
    if isinstance(value, Order):
        raise StateError(
            f"self.{name} cannot be saved: it is an order", hint=f"keep its number: self.{name} = order.id"
        )
    raise StateError(
        f"self.{name} cannot be saved: {type(value).__name__} is no plain data",
        hint="keep numbers, texts, lists and dicts with text keys; start the name with _ to leave it out",
    )


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_TUPLE}:
            return tuple(_restored(entry) for entry in value[_TUPLE])
        return {key: _restored(entry) for key, entry in value.items()}
    return [_restored(entry) for entry in value] if isinstance(value, list) else value
