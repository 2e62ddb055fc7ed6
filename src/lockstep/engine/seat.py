"""A strategy's seat at the engine: the read-only context it sees through, and the only way its orders go in.

Everything a user types is checked here, in Python terms, before it becomes a C integer. What has to be a whole number is
declared Any or object: compiled code turns an argument declared int into one, 3.9 into 3, before any check can see it.
"""

from collections.abc import Callable
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.engine.amounts import price_of, units_of
    from cython.cimports.lockstep.engine.groups import bracket, check_leg, link
    from cython.cimports.lockstep.engine.replacing import ask_replace
    from cython.cimports.lockstep.engine.state import State
    from cython.cimports.lockstep.engine.subscription import Subscription
    from cython.cimports.lockstep.engine.typed import display_units, order_flags, order_type, time_in_force, trail_ppm
    from cython.cimports.lockstep.model.traffic import make_terms
    from cython.cimports.lockstep.orders.order import Order
else:
    from lockstep.engine.amounts import price_of, units_of
    from lockstep.engine.groups import bracket, check_leg, link
    from lockstep.engine.replacing import ask_replace
    from lockstep.engine.state import State
    from lockstep.engine.subscription import Subscription
    from lockstep.engine.typed import display_units, order_flags, order_type, time_in_force, trail_ppm
    from lockstep.model.traffic import make_terms
    from lockstep.orders.order import Order
from lockstep.book.window import MarketWindow
from lockstep.engine.seating import is_time
from lockstep.engine.sizes import caution, risk_size, volatility_size
from lockstep.features.base import Indicator
from lockstep.features.micro.base import MarketFeature
from lockstep.model.enums import OrderFlag, OrderType, SignalAction, TimeInForce
from lockstep.model.errors import ParseError, StrategyError, did_you_mean
from lockstep.model.instrument import Instrument
from lockstep.model.messages import Signal
from lockstep.model.numbers import Nanos, Number, exact_decimal, number_text
from lockstep.portfolio.readings import PortfolioReadings
from lockstep.strategy.base import Several, Strategy
from lockstep.strategy.exits import watched

_GTC = TimeInForce.GTC

AddTimer = Callable[[int, str, int, int], None]
"""(seat index, name, time ns, interval ns or 0)."""


@cython.final
@cython.cclass
class Seat:
    """One strategy instance in the engine. Handlers are resolved once: None where the user did not override."""

    index: cython.int
    name: str
    strategy: Strategy
    state: State
    subscriptions: list[Subscription]
    timers: AddTimer
    starting: cython.bint
    on_bar: Any
    on_quote: Any
    on_trade: Any
    on_book: Any
    on_history: Any
    on_order: Any
    on_fill: Any
    on_timer: Any
    only: Subscription | None
    by_name: dict[str, Subscription]
    declared: list[Any]

    def __init__(
        self,
        index: int,
        name: str,
        strategy: Strategy,
        state: State,
        subscriptions: list[Subscription],
        timers: AddTimer,
    ) -> None:
        self.index = index
        self.name = name
        self.strategy = strategy
        self.state = state
        self.subscriptions = subscriptions
        self.timers = timers
        self.starting = True
        self.only = subscriptions[0] if len(subscriptions) == 1 else None
        self.by_name = {}
        for sub in subscriptions:
            self.by_name[sub.instrument.symbol] = sub
            self.by_name[sub.instrument.id] = sub
        self.declared = []
        self.on_bar = self._handler("on_bar")
        self.on_quote = self._handler("on_quote")
        self.on_trade = self._handler("on_trade")
        self.on_book = self._handler("on_book")
        self.on_history = self._handler("on_history")
        self.on_order = self._handler("on_order")
        self.on_fill = self._handler("on_fill")
        self.on_timer = self._handler("on_timer")
        for sub in subscriptions:
            sub.wants_orders = self.on_order is not None
            sub.waits = type(strategy).wait_for_indicators
        strategy._seat = self
        if self.only is not None:
            strategy.instrument = subscriptions[0].instrument
            strategy.position = subscriptions[0].position
        else:
            several: Any = Several(name)
            strategy.instrument = strategy.position = several

    def _handler(self, name: str) -> Any:
        overridden = getattr(type(self.strategy), name) is not getattr(Strategy, name)
        return getattr(self.strategy, name) if overridden else None

    def pick(self, instrument: Instrument | str | None) -> Subscription:
        """The subscription meant. Raises: StrategyError: none named where there are several, or an unknown one."""
        if instrument is None:
            if self.only is None:
                raise StrategyError(
                    f"{self.name} trades {len(self.subscriptions)} instruments: say which",
                    hint="pass instrument=bar.instrument",
                )
            return self.only
        name = instrument if isinstance(instrument, str) else instrument.id
        found = self.by_name.get(name)
        if found is None:
            raise StrategyError(f"{self.name} does not trade {name!r}", hint=did_you_mean(name, self.by_name))
        return found

    # ---- what the strategy sees

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Its instruments."""
        return tuple(sub.instrument for sub in self.subscriptions)

    @property
    def clock(self) -> int:
        """The engine's clock, ns UTC."""
        return self.state.clock

    @property
    def equity(self) -> float:
        """The account's equity, currency."""
        return self.state.portfolio.equity()

    @property
    def cash(self) -> float:
        """The account's cash, account currency."""
        return self.state.portfolio.cash()

    @property
    def buying_power(self) -> float:
        """Exposure that may still be opened, currency."""
        return self.state.portfolio.buying_power()

    @property
    def portfolio(self) -> PortfolioReadings:
        """The whole account, read-only."""
        return PortfolioReadings(self.state.portfolio)

    def open_orders(self) -> list[Order]:
        """Its orders that are not done."""
        return [order for order in self.state.orders.by_id.values() if order.strategy_index == self.index]

    def position_in(self, instrument: Instrument | str) -> Any:
        """Its position in one instrument."""
        return self.pick(instrument).position

    def last_price(self, instrument: Instrument | str | None) -> float:
        """The latest price, quote currency; nan before the first."""
        sub: Subscription = self.pick(instrument)
        return sub.holding.last / sub.scale

    def book(self, instrument: Instrument | str | None) -> Any:
        """A view of an instrument's book. Raises: StrategyError: the run has none of it."""
        return self.pick(instrument).seen_book()

    def owns(self, value: object) -> bool:
        """Whether the engine saves this object itself: an indicator, window or position."""
        return any(value is entry for entry in self.declared) or any(
            value is sub.position for sub in self.subscriptions
        )

    # ---- what it declares

    def _may_declare(self, what: str) -> None:
        if not self.starting:
            raise StrategyError(
                f"{self.name}: declare {what} in on_start", hint="a later one would miss the bars before it"
            )

    def add_indicator(self, indicator: Any, instrument: Instrument | str | None, on: str | None) -> Any:
        """Have it updated with the instrument's bars, quotes or trades; a market feature with its book and trades."""
        self._may_declare("indicators")
        sub: Subscription = self.pick(instrument)
        if isinstance(indicator, MarketFeature) and on is None:
            self.declared.extend(sub.add_feature(indicator))
            return indicator
        if not isinstance(indicator, Indicator):
            raise StrategyError(
                f"{self.name}: not an indicator{f' on {on}' if on else ''}: was {indicator!r}",
                hint="for example self.indicator(EMA(20)); features of the book and trades take no on=",
            )
        kind = self._default_kind() if on is None else on
        if kind not in ("bars", "quotes", "trades"):
            raise StrategyError(
                f"{self.name}: indicators are updated on bars, quotes or trades: was on={on!r}",
                hint=did_you_mean(str(on), ("bars", "quotes", "trades")),
            )
        self.declared.extend(sub.add_indicator(indicator, kind))
        return indicator

    def _default_kind(self) -> str:
        """What indicators are updated with where nothing is said: what the strategy handles, bars first."""
        if self.on_bar is None:
            if self.on_quote is not None:
                return "quotes"
            if self.on_trade is not None:
                return "trades"
        return "bars"

    def add_window(self, capacity: Any, instrument: Instrument | str | None) -> Any:
        """Keep the instrument's last bars. A second call for the same instrument returns the same window."""
        self._may_declare("windows")
        sub: Subscription = self.pick(instrument)
        if sub.window is None:
            sub.window = MarketWindow(capacity)
            self.declared.append(sub.window)
        elif sub.window.capacity < capacity:
            raise StrategyError(
                f"{self.name}: the window of {sub.instrument.symbol} holds {sub.window.capacity} bars, "
                f"a second one asks for {capacity}",
                hint="ask for the larger one first",
            )
        return sub.window

    def add_timer(self, name: str, at: Any, every: Any) -> None:
        """Wake the strategy at a time, ns UTC. Raises: StrategyError: it has passed, or is no time."""
        if not is_time(at) or at <= self.state.clock:
            raise StrategyError(
                f"{self.name}: timer at {at!r} is no time after the present one, {self.state.clock} (ns UTC, below 2**63)"
            )
        self.timers(self.index, name, at, every)

    def add_signal(
        self,
        action: SignalAction | str,
        confidence: Any,
        target: float | None,
        stop: float | None,
        reasoning: str,
        instrument: Instrument | str | None,
    ) -> int:
        """Record a signal and return its id."""
        try:
            meant = SignalAction[action.upper()] if isinstance(action, str) else SignalAction(action)
        except (KeyError, ValueError):
            raise StrategyError(f"{self.name}: unknown signal action {action!r}", hint="BUY, SELL or HOLD") from None
        if not isinstance(confidence, (int, float)) or not 0.0 <= confidence <= 1.0:
            raise StrategyError(f"{self.name}: signal confidence was {confidence!r}, limit 0 to 1")
        sub: Subscription = self.pick(instrument)
        ident = self.state.next_signal_id()
        nan = float("nan")
        self.state.log_signal(
            sub, ident, confidence, nan if target is None else target, nan if stop is None else stop, int(meant)
        )
        self.state.keep_signal(
            Signal(
                signal_id=ident,
                ts=Nanos(self.state.clock),
                strategy=self.name,
                symbol=sub.instrument.symbol,
                action=meant,
                confidence=float(confidence),  # a float of numpy's cannot be journalled
                target_price=None if target is None else float(target),
                stop_price=None if stop is None else float(stop),
                reasoning=reasoning,
            )
        )
        return ident

    def cool_down(self, bars: Any, instrument: Instrument | str | None) -> None:
        """No opening for this many bars from now."""
        if isinstance(bars, bool) or not isinstance(bars, int) or bars < 0:
            raise StrategyError(f"{self.name}: cool_down takes a whole number of bars >= 0, was {bars!r}")
        sub: Subscription = self.pick(instrument)
        sub.cooldown_until = max(sub.cooldown_until, sub.bars + bars)

    # ---- what it does

    def submit(
        self,
        side: cython.int,
        qty: Number,
        limit: Number | None,
        stop: Number | None,
        trail: Number | None,
        trail_bps: Number | None,
        tif: TimeInForce | str,
        expire: Any,
        post_only: Any,
        reduce_only: Any,
        signal: Any,
        instrument: Instrument | str | None,
        display_qty: Number | None = None,
    ) -> Order:
        """Check what was typed and send it through risk. Raises: StrategyError, InstrumentError: it cannot be an order."""
        sub: Subscription = self.only if instrument is None and self.only is not None else self.pick(instrument)
        units: cython.longlong = units_of(sub, qty)
        if (
            stop is None
            and trail is None
            and trail_bps is None
            and tif is _GTC
            and signal == 0
            and expire == 0
            and reduce_only is False
            and display_qty is None
        ):
            # OrderType.MARKET or LIMIT, GTC: nothing more to check
            if limit is None and post_only is False:
                return self.state.submit(sub, make_terms(side, 1, 1, 0, units, 0, 0, 0, 0, 0))
            if limit is not None and (post_only is False or post_only is True):
                return self.state.submit(
                    sub, make_terms(side, 2, 1, 1 if post_only else 0, units, price_of(sub, limit), 0, 0, 0, 0)
                )
        force = time_in_force(self.name, self.state.clock, tif, expire)
        kind = order_type(self.name, limit, stop, trail, trail_bps, force)
        flags = order_flags(self.name, kind, force, post_only, reduce_only)
        self._check_signal(signal)
        limit_units = 0 if limit is None else sub.instrument.price_from(limit)
        stop_units = 0 if stop is None else sub.instrument.price_from(stop)
        trail_units = 0 if trail is None else sub.instrument.price_from(trail)
        if trail_bps is not None:
            trail_units = trail_ppm(self.name, trail_bps)
            flags |= OrderFlag.TRAIL_PPM
        display: cython.longlong = (
            0 if display_qty is None else display_units(self.name, sub.instrument, kind, force, units, display_qty)
        )
        return self.state.submit(
            sub,
            make_terms(
                side,
                int(kind),
                int(force),
                int(flags),
                units,
                limit_units,
                stop_units,
                trail_units,
                expire,
                signal,
                display,
            ),
        )

    def submit_bracket(
        self, side: cython.int, qty: Number, take_profit: Number | None, stop_loss: Number | None, **options: Any
    ) -> Order:
        """Send an order with exits that follow its fills. Raises: StrategyError, InstrumentError: as `submit`, or no exits."""
        if options["reduce_only"] is True:
            raise StrategyError(
                f"{self.name}: a reduce_only order opens nothing for take_profit= or stop_loss= to close"
            )
        sub: Subscription = self.pick(options["instrument"])
        take: cython.longlong = 0 if take_profit is None else sub.instrument.price_from(take_profit)
        stop: cython.longlong = 0 if stop_loss is None else sub.instrument.price_from(stop_loss)
        ladder = [("stop_loss", stop_loss), ("limit", options["limit"]), ("take_profit", take_profit)]
        given = [(name, value, sub.instrument.price_from(value)) for name, value in ladder if value is not None]
        for (low, below, lower), (high, above, upper) in zip(given, given[1:], strict=False):
            if (upper - lower) * side <= 0:
                raise StrategyError(
                    f"{self.name}: {low}= was {below} and {high}= {above}",
                    hint=f"of a {'buy' if side > 0 else 'sell'}, {high}= lies {'above' if side > 0 else 'below'} {low}=",
                )
        order: Order = self.submit(
            side, qty, options["limit"], options["stop"], options["trail"], options["trail_bps"], options["tif"],
            options["expire"], options["post_only"], False, options["signal"], options["instrument"], options["display_qty"],
        )  # fmt: skip
        bracket(self.state, order, take, stop)
        return order

    def link_orders(self, orders: Any) -> bool:
        """Let the first fill of any of these orders cancel the others. Raises: StrategyError: they cannot be linked."""
        try:
            mine = [self._mine(order, "oco") for order in orders]
        except TypeError:
            raise StrategyError(f"{self.name}: oco takes a list of orders, was {orders!r}") from None
        if len({order.order_id for order in mine}) < max(2, len(mine)):
            raise StrategyError(f"{self.name}: oco takes two or more different orders, was {mine}")
        for order in mine:
            if order.group_id > 0:
                raise StrategyError(f"{self.name}: order {order.order_id} depends on others already")
        return link(self.state, mine)

    def _check_signal(self, signal: Any) -> None:
        if isinstance(signal, bool) or not isinstance(signal, int) or not 0 <= signal <= self.state.last_signal_id:
            raise StrategyError(
                f"{self.name}: no signal {signal!r} was recorded", hint="give what self.signal() returned"
            )

    def target_position(self, qty: Number, instrument: Instrument | str | None, signal: Any) -> Order | None:
        """Bring the position to a signed quantity."""
        sub: Subscription = self.pick(instrument)
        if type(qty) is float or type(qty) is int:  # the short way, see units_of; nan goes on to its refusal
            if qty > 0:
                return self.target_units(units_of(sub, qty), instrument, signal)
            if qty < 0:
                return self.target_units(-units_of(sub, -qty), instrument, signal)
            if qty == 0:
                return self.target_units(0, instrument, signal)
        try:
            exact = exact_decimal(number_text(qty, "quantity"))
        except ParseError as e:
            raise StrategyError(f"{self.name}: target_position takes a signed quantity: {e}") from None
        units: cython.longlong = 0
        if exact > 0:
            units = sub.instrument.qty_from(exact)
        elif exact < 0:
            units = -sub.instrument.qty_from(exact.copy_negate())
        return self.target_units(units, instrument, signal)

    def target_units(self, target: cython.longlong, instrument: Instrument | str | None, signal: Any) -> Order | None:
        """A market order for what is missing to `target` units, counting market orders on their way; None if nothing is."""
        sub: Subscription = self.only if instrument is None and self.only is not None else self.pick(instrument)
        missing: cython.longlong = target - sub.position.units - sub.working_market
        if missing == 0:
            return None
        ident: cython.longlong = 0
        if signal:
            self._check_signal(signal)
            ident = signal
        if missing > 0:
            return self.state.submit(sub, make_terms(1, 1, 1, 0, missing, 0, 0, 0, 0, ident))
        return self.state.submit(sub, make_terms(-1, 1, 1, 0, -missing, 0, 0, 0, 0, ident))

    def cancel(self, order: object) -> bool:
        """Ask to cancel one order, or all of this strategy's."""
        if order is None:
            asked = [self.state.cancel(entry, 0) for entry in self.open_orders()]
            return True in asked
        mine: Order = self._mine(order, "cancel")
        return self.state.cancel(mine, 0)

    def _mine(self, order: object, verb: str) -> Order:
        if not isinstance(order, Order):
            raise StrategyError(f"{self.name}: {verb} takes the Order that buy or sell returned, was {order!r}")
        mine: Order = order
        if mine.strategy_index != self.index:
            raise StrategyError(f"{self.name}: order {mine.order_id} belongs to {mine.strategy}")
        return mine

    def replace(self, order: object, qty: Number | None, limit: Number | None, stop: Number | None) -> bool:
        """Check what was typed and ask for a replacement. Raises: StrategyError, InstrumentError: it cannot be one."""
        mine: Order = self._mine(order, "replace")
        sub: Subscription = cython.cast(Subscription, self.state.subscriptions[mine.owner_index])
        if qty is None and limit is None and stop is None:
            raise StrategyError(f"{self.name}: replace changes qty=, limit= or stop=: was given none of them")
        if mine.type_code == int(OrderType.MARKET):
            raise StrategyError(
                f"{self.name}: order {mine.order_id} is a market order: it fills at the next price", hint="cancel it"
            )
        has_stop = mine.type_code in (int(OrderType.STOP), int(OrderType.STOP_LIMIT))
        if limit is not None and mine.limit_units == 0:
            raise StrategyError(
                f"{self.name}: order {mine.order_id} has no limit to replace: it is {mine.order_type.name}"
            )
        if stop is not None and not has_stop:
            raise StrategyError(
                f"{self.name}: order {mine.order_id} has no stop to replace: it is {mine.order_type.name}"
            )
        units: cython.longlong = mine.qty_units if qty is None else units_of(sub, qty)
        limit_units: cython.longlong = mine.limit_units if limit is None else price_of(sub, limit)
        stop_units: cython.longlong = mine.stop_units if stop is None else sub.instrument.price_from(stop)
        check_leg(self.state, mine, units)
        return ask_replace(self.state, sub, mine, units, limit_units, stop_units, 0)

    def size(self, weight: float, instrument: Instrument | str | None) -> float:
        """The quantity that `weight` of equity buys, rounded down to a lot."""
        sub: Subscription = self.pick(instrument)
        one: cython.double = sub.holding.in_account(sub.holding.valuation.mark(sub.holding.last, sub.qty_scale))
        if one < 0.0:
            one = -one  # an inverse contract's worth counts downwards
        if not one > 0.0:
            what = (
                "price"
                if not sub.holding.last > 0.0 or sub.holding.rate is None
                else f"{sub.holding.rate.currency} rate"
            )
            raise StrategyError(f"{self.name}: no {what} of {sub.instrument.symbol} is known yet: nothing to size by")
        money: cython.double = self.state.portfolio.equity() * weight
        if not money > 0.0:
            return 0.0
        units = min(int(money / one * sub.qty_scale), sub.instrument.qty_max)
        units -= units % sub.instrument.lot_size
        return units / sub.qty_scale if units >= sub.instrument.qty_min else 0.0

    def size_for_risk(self, stop: Number, part: float | None, instrument: Instrument | str | None) -> float:
        """See `sizes.risk_size`."""
        return risk_size(self.state, self.pick(instrument), stop, part)

    def size_for_volatility(self, target: float, window: Any, instrument: Instrument | str | None) -> float:
        """See `sizes.volatility_size`."""
        return volatility_size(self.state, self.pick(instrument), target, window)

    def caution(self) -> float:
        """See `sizes.caution`."""
        return caution(self.state, self.subscriptions[0])

    def attach(self, watch: Any) -> None:
        """Show something every market event, order event and fill, before the handlers of the strategy see them.

        Raises: StrategyError: outside on_start; no handler of market events, so that nothing would be shown.
        """
        if not self.starting:
            raise StrategyError(f"{self.name}: exits are attached in on_start alone")
        if self.on_bar is None and self.on_quote is None and self.on_trade is None:
            raise StrategyError(f"{self.name}: exits need on_bar, on_quote or on_trade to follow the price by")
        self.on_bar = self.on_bar and watched(watch.on_bar, self.on_bar)
        self.on_quote = self.on_quote and watched(watch.on_quote, self.on_quote)
        self.on_trade = self.on_trade and watched(watch.on_trade, self.on_trade)
        self.on_order = watched(watch.on_order, self.on_order)
        self.on_fill = watched(watch.on_fill, self.on_fill)
        for sub in self.subscriptions:
            sub.wants_orders = True
            sub.watch = watch
