"""No field of a compiled class is forgotten when a run is saved: names as declared, and every value put back.

A field added to one of these classes fails here until it is saved, or is named below as made anew.
"""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from depth_machine import depth_venue, tell
from depth_rules import DepthRules
from machine import HOUR, T0, Machine, bars, coin, records
from slow_ticks import TickWish
from tick_machine import request_for

import lockstep
from lockstep import ATR, EMA, RSI, SMA, CrossOver, Highest, Strategy
from lockstep.engine.saved import restore_engine, save_engine
from lockstep.features.base import Indicator
from lockstep.features.sources import Level
from lockstep.portfolio.saved import restore_position, save_position
from lockstep.run.loop import Loop
from lockstep.sim.models import Latency
from lockstep.sim.saved import restore_venue, save_venue

NEVER = 2**63 - 1
SRC = Path(lockstep.__file__).parent
VENUE = "sim/transit:Transit sim/desk:Desk sim/venue:Venue"
MADE = {
    "engine/engine:Engine": "seats by_instrument by_series instruments active next_timer",  # next_timer: the first of timers
    "engine/books:KnownBooks": "books levels orders",  # each book by itself
    "engine/state:State": "portfolio later signal_sink in_history",  # between steps later is empty, in_history false
    "engine/subscription:Subscription": "index seat_index instrument_index strategy instrument position holding gate series waits "
    "cooldown_bars scale qty_scale wants_orders watch lot qty_min qty_max tick price_max book quote_indicators trade_indicators",  # with indicators
    "engine/groups:Group": "",
    "portfolio/portfolio:Portfolio": "ledger rates valuations leverage_max by_key foreign",  # ledger: the first of ledgers
    "portfolio/ledger:Ledger": "currency opening decimals scale",
    "portfolio/position:Holding": "instrument valuation index ledger rate margin_initial margin_maintenance",
    "portfolio/position:Position": "instrument strategy holding strategy_index valuation scale qty_scale money_scale",
    "orders/order:OpenOrders": "latest",  # by_id says the same
    "orders/order:Order": "instrument refusal",  # by its index; of an order that is done
    "risk/gate:Gate": "limit actual equity exposure bounds strategy desk there ours position hours",
    # Between steps there are no warnings and nothing is due; how long verdicts took is of one process.
    "risk/desk:Desk": "warnings watched due due_limit due_actual daily_loss_max drawdown_max refusals_max halts_day "
    "halts_drawdown halts_position heard stopwatch timings",
    "model/traffic:OrderTerms": "",
    "model/traffic:OrderRequest": "",
    "model/traffic:VenueReport": "",
    # next_arrival, next_report: the queues are saved from there on. by_id: what rests, by number.
    VENUE: "next_arrival next_report entry_ns ack_ns fill_ns entry_jitter_ns ack_jitter_ns fill_jitter_ns entry_bars by_id "
    "entry_median ack_median fill_median entry_sigma ack_sigma fill_sigma in_order "
    "recorded optimistic touch slip_num slip_den impact slips",
    "sim/transit:InFlight": "",
    "sim/chance:Chance": "",
    "sim/market:Stake": "",
    "sim/market:VenueOrder": "",
    "sim/market:Market": "instrument index tick lot band_bps fees queue_outside_hours always_open bars quotes trades opens "
    "closes qty_scale share unlimited",
    "sim/liquidity:Liquidity": "levels orders model recovery ends told_levels",  # levels, orders: the book, as what it is
    "sim/queue:QueuePlace": "",
    "sim/markouts:MarkOuts": "count next_due",  # the number of times; the first of what is due
    "sim/placements:Placements": "count",  # the number of rows
    "run/loop:Loop": "engine venue",
    "run/carry:Carrier": "streams row",
}
"""What the set-up decides, or follows from what is saved."""
BESIDE = {
    "engine/engine:Engine": {"schema_version", "strategies"},
    "risk/gate:Gate": {"near", "warned"},
    "engine/subscription:Subscription": {"gate"},
}
"""What is saved and no field of the class, or not of its own: strategies stand for seats, near and warned are C arrays."""


def declared(names: str) -> set[str]:
    """The fields of a class, or of several that are one object, in their .pxd."""
    return set().union(*(fields_of(name) for name in names.split()))


def fields_of(name: str) -> set[str]:
    file, cls = name.split(":")
    text = (SRC / f"{file}.pxd").read_text()
    body = re.search(rf"^cdef class {cls}\b[^\n]*:\n(.*?)(?=^\S|\Z)", text, re.DOTALL | re.MULTILINE)
    assert body, name
    fields: set[str] = set()
    for line in body[1].splitlines():
        found = re.fullmatch(
            r"    cdef (?:readonly |public )?(?:unsigned )?(?:long long|\w+)(?:\[::1\])? ([\w, ]+)", line
        )
        if found:
            fields |= {field.strip() for field in found[1].split(",")}
    return fields


class Busy(Strategy):
    """Sends something of everything at its second bar."""

    def on_start(self) -> None:
        self.mean = self.indicator(SMA(3))
        self.w = self.window(4)

    def on_bar(self, bar: Any) -> None:
        if self.now > T0 + 9 * HOUR:
            return
        self.set_timer("later", at=self.now + 20 * HOUR)
        self.buy(3)
        self.buy(2, limit=50)
        self.buy(1, limit=51, take_profit=60, stop_loss=45)
        self.oco([self.buy(1, limit=52), self.buy(1, limit=53)])
        self.sell(1, stop=40, tif="DAY")
        self.sell(1, trail=5)
        if self.now == T0 + 9 * HOUR:
            self.cool_down(3)


def run_of() -> tuple[Machine, Loop]:
    # Delays longer than a bar: after ten bars some of what was sent rests, some has not arrived, some is on its way back.
    latency = Latency(entry_ns=2 * HOUR, entry_jitter_ns=HOUR, ack_ns=2 * HOUR, fill_ns=2 * HOUR)
    machine = Machine([(coin(), records(bars(*range(100, 120))))], latency=latency)
    machine.seat(Busy(), name="busy")
    source = machine.source()
    machine.engine.start(source.first_time())
    return machine, Loop(machine.engine, machine.venue, source, carry=True)


def market_on_book() -> dict[str, Any]:
    """A market with an order that rests on its book. That every value is put back is tests/property/test_depth_venue.py's."""
    venue = depth_venue(DepthRules())
    tell(venue, T0, [("CLEAR", 0, 0, 0, 0), ("SET", 1, 99, 10, 0)], full=True)
    venue.send(request_for(1, T0, TickWish(side=1, qty=5, kind="limit", limit=99)))
    venue.settle_arrivals(T0 + 1)
    saved: dict[str, Any] = save_venue(venue)["markets"][0]
    return saved


def states_of(machine: Machine, loop: Loop) -> dict[str, dict[str, Any]]:
    """A saved state of each class."""
    engine, venue = save_engine(machine.engine), save_venue(machine.venue)
    state, account, market = engine["state"], engine["portfolio"], venue["markets"][0]
    on_book = market_on_book()
    return {
        "engine/engine:Engine": engine,
        "engine/books:KnownBooks": {},
        "engine/state:State": state,
        "engine/subscription:Subscription": engine["strategies"]["busy"]["instruments"]["AAA.X"]
        | state["subscriptions"][0],
        "engine/groups:Group": state["groups"][0],
        "portfolio/portfolio:Portfolio": account,
        "portfolio/ledger:Ledger": account["ledgers"][0],
        "portfolio/position:Holding": account["holdings"][0],
        "portfolio/position:Position": account["positions"][0],
        "orders/order:OpenOrders": state["orders"],
        "orders/order:Order": state["orders"]["by_id"][0],
        "risk/gate:Gate": state["subscriptions"][0]["gate"],
        "risk/desk:Desk": state["desk"],
        "model/traffic:OrderTerms": venue["arrivals"][0]["request"]["terms"],
        "model/traffic:OrderRequest": venue["arrivals"][0]["request"],
        "model/traffic:VenueReport": venue["reports"][0],
        VENUE: venue,
        "sim/transit:InFlight": venue["arrivals"][0],
        "sim/chance:Chance": venue["chance"],
        "sim/market:Stake": {"net": market["stakes"][0]},
        "sim/market:VenueOrder": market["resting"][0],
        "sim/market:Market": market,
        "sim/liquidity:Liquidity": on_book["depth"],
        "sim/markouts:MarkOuts": on_book["depth"]["marks"],
        "sim/placements:Placements": on_book["depth"]["placements"],
        "sim/queue:QueuePlace": on_book["resting"][0]["place"],
        "run/loop:Loop": loop.save(),
        "run/carry:Carrier": loop.save()["carrier"],
    }


@pytest.fixture(scope="module")
def states() -> dict[str, dict[str, Any]]:
    machine, loop = run_of()
    loop.run(T0 + 9 * HOUR)
    return states_of(machine, loop)


@pytest.mark.parametrize("name", list(MADE))
def test_every_declared_field_is_saved_or_made_anew(states: dict[str, dict[str, Any]], name: str) -> None:
    made = set(MADE[name].split())
    saved = set(states[name]) - BESIDE.get(name, set())
    assert declared(name) == saved | made, (
        f"{name}: save it in the room's saved.py, or say in MADE that it is made anew"
    )
    assert not saved & made


def test_every_class_of_these_rooms_is_either_saved_or_without_state() -> None:
    without = {"FeeModel", "QueueModel", "RecordedDelays", "FeedDraws", "Bounds", "Crew", "Hours", "Reducers", "Repeats", "Throttle", "Timings", "Seat", "RowLog", "EventRows", "Valuation", "Rate", "Stream", "MergedSource", "Bar", "BookUpdate", "Quote", "Trade"}  # fmt: skip
    known = {part.split(":")[1] for name in MADE for part in name.split()} | without
    rooms = ("model", "portfolio", "orders", "risk", "sim", "engine", "run")
    found = {
        cls for room in rooms for path in (SRC / room).glob("*.pxd") for cls in re.findall(r"^cdef class (\w+)", path.read_text(), re.MULTILINE)
    }  # fmt: skip
    assert found - known == set(), "a new compiled class: is there something of it to save?"


INDICATORS: dict[str, tuple[Indicator, str]] = {
    # ring is saved as samples from the oldest on; next and seen follow from their number
    "features/averages:SMA": (SMA(3), "_ring _next _seen"),
    "features/averages:EMA": (EMA(3), "alpha"),
    "features/ranges:ATR": (ATR(3), "period"),
    # head and size: the samples are saved in order
    "features/ranges:Extreme": (Highest(3), "_head _size _sign"),
    "features/oscillators:RSI": (RSI(3), ""),
    # primed follows from the count; a and b, the inputs, save themselves
    "features/crossing:CrossOver": (CrossOver(EMA(2), EMA(3)), "_primed a b"),
    "features/sources:Level": (Level(3), "level"),
}
"""An indicator of each kind that keeps something, and what of it is made anew or follows from what is saved."""
AS_SAMPLES = {"features/averages:SMA": {"samples"}}


@pytest.mark.parametrize("name", list(INDICATORS))
def test_every_field_of_an_indicator_is_saved_or_made_anew(name: str) -> None:
    indicator, made = INDICATORS[name]
    saved = set(indicator.save()["state"]) - AS_SAMPLES.get(name, set())
    fields = declared(name) - set(made.split())
    assert {field.lstrip("_") for field in fields} == saved


def test_every_kind_of_indicator_is_among_them() -> None:
    found = {
        cls
        for path in (SRC / "features").glob("*.pxd")
        for cls, base in re.findall(r"^cdef class (\w+)\((\w+)\)", path.read_text(), re.MULTILINE)
        if base in ("Indicator", "SeriesIndicator")
        and fields_of(f"features/{path.stem}:{cls}") not in (set(), {"period", "source"})
    }
    assert found == {name.split(":")[1] for name in INDICATORS}


def other(value: Any, key: str = "") -> Any:
    """The same shape with every value another one."""
    if isinstance(value, dict):
        return {name: other(entry, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [other(entry, key) for entry in value]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return (
            value if key in ("instrument", "instrument_index", "stake") else value - 1 if value == NEVER else value + 1
        )
    if isinstance(value, float):
        return 0.5 if math.isnan(value) else value + 0.5
    return value


def test_every_saved_value_is_put_back(states: dict[str, dict[str, Any]]) -> None:
    """Each value is changed first, so that one that was not put back would show."""
    machine, _ = run_of()
    engine = dict(states["engine/engine:Engine"])
    kept = {name: engine.pop(name) for name in ("schema_version", "strategies")}
    changed, venue = {**kept, **other(engine)}, other(states[VENUE])
    restore_engine(machine.engine, changed)
    restore_venue(machine.venue, venue)
    again = save_engine(machine.engine)
    assert {name: again[name] for name in engine} == {name: changed[name] for name in engine}
    assert save_venue(machine.venue) == venue


def test_loop_and_streams_are_put_back(states: dict[str, dict[str, Any]]) -> None:
    _, loop = run_of()
    carrier = {"last": [[5, 6, 7]], "carried": 76}
    changed = states["run/loop:Loop"] | {"steps": 77, "next_mark": 78, "unmarked": 79, "carrier": carrier}
    loop.restore(changed)
    assert loop.save() == changed
    assert loop.source.rows == sum(changed["source"]) == 9


class Notes(Strategy):
    trades = "all"

    def on_start(self) -> None:
        self.seen: list[Any] = []

    def on_bar(self, bar: Any) -> None:
        self.seen.append((self.now, bar.symbol, bar.close, bar.is_carried))


@pytest.mark.parametrize("cut", range(8))
def test_bars_are_carried_on_after_a_restore(cut: int) -> None:
    """What is carried is the last bar of each instrument: it must be known after a restore too."""
    rows = bars(*range(100, 108))

    def begun() -> tuple[Machine, Loop]:
        gaps = [row for k, row in enumerate(rows) if k not in (2, 3, 5)]
        machine = Machine([(coin("AAA"), records(rows)), (coin("BBB"), records(gaps))])
        machine.seat(Notes(), 0, 1, name="notes")
        source = machine.source()
        machine.engine.start(source.first_time())
        return machine, Loop(machine.engine, machine.venue, source, carry=True)

    whole, loop = begun()
    loop.run_all()
    first, loop = begun()
    loop.run(NEVER, cut)
    rest, again = begun()
    restore_engine(rest.engine, save_engine(first.engine))
    restore_venue(rest.venue, save_venue(first.venue))
    again.restore(loop.save())
    again.run_all()
    assert rest.plan.seen == whole.plan.seen
    assert sum(carried for *_, carried in whole.plan.seen) == 3


def test_fractional_basis_and_large_money_are_put_back() -> None:
    """An inverse contract's basis is a fraction; cash may pass 64 bits."""
    position = run_of()[0].portfolio.positions[0]
    for basis in (2**90, -3, [2**70 + 1, 7], [4, 1]):
        changed = save_position(position) | {"basis": basis, "realised": -(2**80)}
        restore_position(position, changed)
        assert save_position(position) == changed
