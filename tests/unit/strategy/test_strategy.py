"""The Strategy API as its user meets it, on an engine without a venue: what goes out is what was asked."""

from datetime import timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Any

import numpy as np
import pytest

from lockstep.engine.engine import Engine
from lockstep.features.averages import EMA
from lockstep.model.enums import AssetClass, EventKind, OrderState, OrderType, Reason, Side, SignalAction, TimeInForce
from lockstep.model.errors import InstrumentError, StateError, StrategyError
from lockstep.model.instrument import Instrument, Rounding
from lockstep.model.messages import CancelOrder, SubmitOrder
from lockstep.model.record import MARKET_EVENT
from lockstep.portfolio.portfolio import Portfolio
from lockstep.strategy.base import HANDLERS, Strategy


def share(symbol: str, **changes: Any) -> Instrument:
    return Instrument(
        venue="X", symbol=symbol, asset_class=AssetClass.EQUITY, base_currency=symbol, quote_currency="USD",
        price_decimals=2, qty_decimals=1, **changes,
    )  # fmt: skip


class Quiet(Strategy):
    trades = "all"

    def on_bar(self, bar: Any) -> None:
        """Nothing: the test acts."""


class Single(Strategy):
    def on_bar(self, bar: Any) -> None:
        """Nothing: the test acts."""


class Desk:
    """An engine with one strategy, fed bar by bar."""

    def __init__(self, strategy: Strategy, *symbols: str, start: bool = True) -> None:
        self.items = [share(symbol) for symbol in symbols or ("A",)]
        self.engine = Engine(Portfolio(self.items, 1_000_000))
        self.strategy = strategy
        self.engine.add_strategy(strategy, "s", range(len(self.items)))
        if start:
            self.engine.start(0)

    def bar(self, clock: int, close: int = 10000, instrument: int = 0) -> list[Any]:
        record = np.zeros(1, MARKET_EVENT)
        record["clock"] = record["ts_event"] = clock
        record["kind"], record["instrument"] = EventKind.BAR, instrument
        record["p0"] = record["p1"] = record["p2"] = record["p3"] = close
        return list(self.engine.step(record))

    def sent(self, clock: int = 2) -> list[Any]:
        """What the strategy has sent since the last event."""
        return self.bar(clock)


def ready(strategy: Strategy | None = None, *symbols: str) -> tuple[Desk, Any]:
    desk = Desk(strategy or Single(), *symbols)
    for index in range(len(desk.items)):
        desk.bar(1, instrument=index)
    return desk, desk.strategy


def test_api_has_every_handler_and_verb_that_is_promised() -> None:
    promised = "on_start on_history on_bar on_quote on_trade on_book on_order on_fill on_timer on_stop"
    assert tuple(promised.split()) == HANDLERS
    for name in f"{promised} buy sell order cancel close target_position signal cool_down set_timer save_state restore_state".split():
        assert callable(getattr(Strategy, name))


@pytest.mark.parametrize("name", ["on_bars", "on_Bar", "onBar", "onbar", "On_Bar", "on_tick", "on_exit"])
def test_misspelt_handler_is_refused_when_the_class_is_made(name: str) -> None:
    with pytest.raises(StrategyError, match=f"Odd.{name} is no handler and would never be called"):
        type("Odd", (Strategy,), {name: lambda _self, _bar: None})


def test_misspelt_handler_is_answered_with_the_nearest() -> None:
    with pytest.raises(StrategyError) as caught:
        type("Odd", (Strategy,), {"on_bars": lambda _self, _bar: None})
    assert caught.value.hint == "did you mean 'on_bar'?"


def test_handler_that_could_not_be_called_is_refused() -> None:
    async def asynchronous(self: Any, bar: Any) -> None:
        """Would never run."""

    for handler, words in (
        (asynchronous, "is async"),
        (lambda _self: None, "cannot be called"),
        (lambda _self, _bar, _extra: None, "cannot be called"),
        (staticmethod(lambda: None), "cannot be called"),
    ):
        with pytest.raises(StrategyError, match=words):
            type("Odd", (Strategy,), {"on_bar": handler})
    type(
        "Fine", (Strategy,), {"on_bar": lambda _self, _bar, _extra=1: None, "on_stop": lambda _self: None, "onward": 3}
    )


def test_strategy_used_before_it_has_an_engine_says_so() -> None:
    strategy = Single()
    for use in (
        lambda: strategy.buy(1), strategy.close, lambda: strategy.now, lambda: strategy.equity, lambda: strategy.open_orders,
        lambda: strategy.indicator(EMA(3)), lambda: strategy.round_price(1), lambda: strategy.signal("BUY"),
    ):  # fmt: skip
        with pytest.raises(StrategyError, match="no engine yet") as caught:
            use()
        assert "on_start" in caught.value.hint


def test_orders_of_every_kind_go_out_as_asked() -> None:
    desk, strategy = ready()
    orders = [
        strategy.buy(1), strategy.sell(2.5, limit=101), strategy.buy("3", stop=102, tif="DAY"),
        strategy.sell(Decimal(4), limit=98, stop=99, tif=TimeInForce.GTD, expire=10**12), strategy.buy(5, limit=99, tif="ioc"),
    ]  # fmt: skip
    commands = desk.sent()
    assert [type(command) for command in commands] == [SubmitOrder] * 5
    assert [(c.client_order_id, c.side, c.order_type, c.time_in_force, c.qty, c.limit_price, c.stop_price, c.expire_ts) for c in commands] == [
        (1, Side.BUY, OrderType.MARKET, TimeInForce.GTC, 10, 0, 0, 0),
        (2, Side.SELL, OrderType.LIMIT, TimeInForce.GTC, 25, 10100, 0, 0),
        (3, Side.BUY, OrderType.STOP, TimeInForce.DAY, 30, 0, 10200, 0),
        (4, Side.SELL, OrderType.STOP_LIMIT, TimeInForce.GTD, 40, 9800, 9900, 10**12),
        (5, Side.BUY, OrderType.LIMIT, TimeInForce.IOC, 50, 9900, 0, 0),
    ]  # fmt: skip
    assert strategy.open_orders == orders
    assert all(order.state is OrderState.PENDING_NEW for order in orders)


@pytest.mark.parametrize(
    ("qty", "side", "units"),
    [
        (2, 1, 20),
        (-2, -1, 20),
        ("-0.1", -1, 1),
        ("0.1", 1, 1),
        (Decimal("-1.5"), -1, 15),
        (np.float64(-3), -1, 30),
        (-0.3, -1, 3),
    ],
)
def test_signed_quantity_buys_or_sells_and_targets(qty: Any, side: int, units: int) -> None:
    desk, strategy = ready()
    order = strategy.order(qty)
    assert (int(order.side), order.qty_units) == (side, units)
    strategy.cancel()
    desk.sent()
    other, strategy = ready()
    order = strategy.target_position(qty)
    assert (int(order.side), order.qty_units) == (side, units)
    other.sent()


@pytest.mark.parametrize("qty", ["abc", float("nan"), None, True, [1], "", "1e999"])
def test_quantity_that_is_no_number_is_refused(qty: Any) -> None:
    _, strategy = ready()
    for use in (strategy.order, strategy.target_position):
        with pytest.raises(StrategyError, match="quantity"):
            use(qty)
    for use in (strategy.buy, strategy.sell):
        with pytest.raises(InstrumentError):
            use(qty)
    assert strategy.open_orders == []


@pytest.mark.parametrize("qty", [0, -1, 0.05, 1e300])
def test_quantity_that_cannot_be_ordered_is_refused(qty: Any) -> None:
    _, strategy = ready()
    with pytest.raises(InstrumentError, match=r"A\.X"):
        strategy.buy(qty)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tif": "forever"}, "unknown time in force"), ({"tif": "GTD"}, "GTD needs expire"), ({"tif": "GTD", "expire": 1}, "GTD needs"),
        ({"tif": "GTD", "expire": 1e18}, "GTD needs"), ({"expire": 5}, "expire= goes with tif=GTD"), ({"signal": 1}, "no signal 1"),
        ({"signal": 0.9}, "no signal 0.9"), ({"stop": 101, "tif": "FOK"}, "a stop order cannot be FOK"), ({"instrument": "B"}, "does not trade"),
    ],
)  # fmt: skip
def test_option_that_makes_no_order_is_refused(options: dict[str, Any], words: str) -> None:
    _, strategy = ready()
    with pytest.raises(StrategyError, match=words):
        strategy.buy(1, **options)
    assert strategy.open_orders == []


def test_whole_numbers_a_user_types_are_not_cut() -> None:
    desk, strategy = ready()
    with pytest.raises(StrategyError, match="whole number of bars"):
        strategy.cool_down(2.9)
    with pytest.raises(StrategyError, match="no time after the present"):
        strategy.set_timer(at=5e18)
    desk.engine.portfolio.book_fill(strategy.position, 1, 100, 10, 0)
    uses: tuple[Any, ...] = (lambda: strategy.close(signal=0.7), lambda: strategy.target_position(2, signal=True))
    for use in uses:
        with pytest.raises(StrategyError, match="no signal"):
            use()


def test_cancel_asks_for_one_or_for_all_and_says_whether_there_was_any() -> None:
    desk, strategy = ready()
    orders = [strategy.buy(1, limit=99) for _ in range(3)]
    assert strategy.cancel(orders[0]) is True
    assert strategy.cancel(orders[0]) is False
    assert strategy.cancel() is True
    assert strategy.cancel() is False
    commands = desk.sent()
    assert [command.client_order_id for command in commands if isinstance(command, CancelOrder)] == [1, 2, 3]
    with pytest.raises(StrategyError, match="cancel takes the Order"):
        strategy.cancel(1)


def test_close_and_target_count_market_orders_on_their_way() -> None:
    desk, strategy = ready()
    desk.engine.portfolio.book_fill(strategy.position, 1, 10000, 30, 0)
    order = strategy.close()
    assert (order.side, order.qty_units) == (Side.SELL, 30)
    assert strategy.close() is None
    assert strategy.target_position(0) is None
    again = strategy.target_position("-1")
    assert (again.side, again.qty_units) == (Side.SELL, 10)


def test_cooldown_denies_opening_and_allows_closing() -> None:
    desk, strategy = ready()
    desk.engine.portfolio.book_fill(strategy.position, 1, 10000, 30, 0)
    strategy.cool_down(2)
    denied = strategy.buy(1)
    assert (denied.state, denied.reason) == (OrderState.DENIED, Reason.COOLDOWN)
    assert strategy.sell(3).state is OrderState.PENDING_NEW
    desk.bar(2)
    assert strategy.buy(1).state is OrderState.DENIED
    desk.bar(3)
    assert strategy.buy(1).state is OrderState.PENDING_NEW


def test_signal_is_numbered_and_orders_point_back_to_it() -> None:
    desk, strategy = ready()
    first = strategy.signal("buy", 0.75, target=110.0, stop=95.0, reasoning="because")
    assert (first, strategy.signal(SignalAction.HOLD)) == (1, 2)
    strategy.buy(1, signal=first)
    strategy.target_position(5, signal=2)
    assert [command.signal_id for command in desk.sent()] == [1, 2]
    for action, confidence in (("up", 1.0), ("BUY", 1.5), ("BUY", float("nan"))):
        with pytest.raises(StrategyError, match="signal"):
            strategy.signal(action, confidence)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"at": 5, "after": timedelta(1)},
        {"at": 1},
        {"after": timedelta(0)},
        {"every": timedelta(-1)},
        {"after": 5},
        {"every": "1m"},
        {"at": True},
    ],
)
def test_timer_that_would_never_ring_is_refused(options: dict[str, Any]) -> None:
    _, strategy = ready()
    with pytest.raises(StrategyError, match="time"):
        strategy.set_timer(**options)


def test_strategy_of_several_instruments_names_the_one_it_means() -> None:
    desk, strategy = ready(Quiet(), "A", "B")
    for use in (
        lambda: strategy.buy(1),
        strategy.close,
        lambda: strategy.round_price(1),
        strategy.last_price,
    ):
        with pytest.raises(StrategyError, match="trades 2 instruments: say which"):
            use()
    strategy.buy(1, instrument="B")
    strategy.sell(1, instrument=desk.items[0])
    strategy.target_position(-2, "B.X")
    assert [(c.instrument, c.side, c.qty) for c in desk.sent()] == [("B.X", 1, 10), ("A.X", -1, 10), ("B.X", -1, 30)]
    assert strategy.position_in("A").instrument is desk.items[0]
    assert [item.symbol for item in strategy.instruments] == ["A", "B"]
    assert strategy.round_price(100.004, Rounding.UP, "B") == 100.01
    assert strategy.round_qty("1.29", instrument=desk.items[1]) == 1.2
    with pytest.raises(StrategyError) as caught:
        strategy.last_price("AX")
    assert "did you mean" in caught.value.hint


def test_strategy_of_one_instrument_is_not_given_several() -> None:
    with pytest.raises(StrategyError, match="one instrument per instance"):
        Desk(Single(), "A", "B")
    with pytest.raises(StrategyError, match="no handler that could ever trade"):
        Desk(type("Idle", (Strategy,), {"on_fill": lambda _self, _fill: None})())


def test_strategy_reads_account_prices_and_position() -> None:
    _, strategy = ready()
    assert (strategy.now, strategy.equity, strategy.cash, strategy.buying_power) == (
        1,
        1_000_000.0,
        1_000_000.0,
        1_000_000.0,
    )
    assert (strategy.last_price(), strategy.size(0.5), strategy.size(0.0)) == (100.0, 5000.0, 0.0)
    assert (strategy.round_price(100.006), strategy.round_qty(1.99)) == (100.01, 1.9)
    assert not strategy.position
    assert strategy.instrument.symbol == "A"


class Color(IntEnum):
    RED = 3


class Keeping(Single):
    fast: int = 3

    def on_start(self) -> None:
        self.ema = self.indicator(EMA(self.fast))
        self.many = {"A": [self.ema]}
        self.mine = self.position_in("A")
        self.item = self.instruments[0]
        self.flags = {"armed": True, "levels": [1, 2.5, None], "pair": (1, ("x", 2)), "empty": ()}
        self.color: int = Color.RED
        self.mean = np.float64(1.5)
        self.nothing: list[int] = []
        self._scratch = object()


def test_state_of_plain_attributes_comes_back_as_it_was() -> None:
    desk = Desk(Keeping())
    saved = desk.strategy.save_state()
    assert set(saved["attributes"]) == {"flags", "color", "mean", "nothing"}
    assert (type(saved["attributes"]["color"]), type(saved["attributes"]["mean"])) == (int, float)
    fresh: Any = Desk(Keeping()).strategy
    fresh.flags, fresh.color, fresh.mean, fresh.nothing = {}, 0, 0.0, [1]
    fresh.restore_state(saved)
    assert fresh.flags == {"armed": True, "levels": [1, 2.5, None], "pair": (1, ("x", 2)), "empty": ()}
    assert type(fresh.flags["pair"]) is tuple
    assert (fresh.color, fresh.mean, fresh.nothing) == (3, 1.5, [])
    assert fresh.ema is fresh.many["A"][0]
    assert Single().save_state()["attributes"] == {}


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, {1, 2}, b"x", Decimal(1), [object()], {"a": lambda: 1}, {"$tuple": [1]}]
)
def test_state_that_is_no_plain_data_is_refused_by_name(value: Any) -> None:
    strategy: Any = Single()
    strategy.thing = value
    with pytest.raises(StateError, match=r"self\.thing cannot be saved"):
        strategy.save_state()


def test_order_kept_as_an_attribute_is_refused_with_advice() -> None:
    _, strategy = ready()
    strategy.entry = strategy.buy(1)
    with pytest.raises(StateError, match=r"self\.entry cannot be saved: it is an order") as caught:
        strategy.save_state()
    assert caught.value.hint == "keep its number: self.entry = order.id"


@pytest.mark.parametrize(
    "saved",
    [
        {}, {"schema_version": 99, "attributes": {}}, {"schema_version": 1}, {"schema_version": 1, "attributes": [1]},
        {"schema_version": 1, "attributes": {"_seat": 1}}, {"schema_version": 1, "attributes": {"buy": 1}},
    ],
)  # fmt: skip
def test_state_that_save_state_never_gave_is_refused_and_changes_nothing(saved: dict[str, Any]) -> None:
    _, strategy = ready()
    before = dict(vars(strategy))
    with pytest.raises(StateError):
        strategy.restore_state(saved)
    assert vars(strategy) == before
