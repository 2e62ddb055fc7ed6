"""Where a run stands between two steps: what a breakpoint prints, and what its condition reads. Nothing here changes it."""

import math
from collections.abc import Sequence
from typing import Any

from lockstep.book.view import BookView
from lockstep.features.base import Indicator
from lockstep.features.micro.base import MarketFeature
from lockstep.model.enums import EventKind
from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.instrument import Instrument
from lockstep.portfolio.attribution import shares, total
from lockstep.portfolio.readings import PortfolioReadings
from lockstep.run.backtest import Playing
from lockstep.run.source import Stream
from lockstep.store.catalog.times import time_text

_LISTED_MAX = 8
_TEXT_MAX = 120
_KINDS = {
    EventKind.BAR: "bar",
    EventKind.QUOTE: "quote",
    EventKind.TRADE: "trade",
    EventKind.BOOK: "book",
    EventKind.CORPORATE_ACTION: "action",
}


class Standing:
    """A run to be read. Money is in the account's currency, quantities in base units, prices in the quote currency."""

    def __init__(self, playing: Playing) -> None:
        self._playing = playing
        self._engine = playing.engine
        self._index = {name: k for k, held in enumerate(self._engine.portfolio.holdings) for name in _names(held.instrument)}  # fmt: skip

    @property
    def clock(self) -> int:
        """The engine's clock, ns UTC."""
        clock: int = self._engine.state.clock
        return clock

    @property
    def time(self) -> str:
        """The same as ISO text, UTC: times in this form compare as texts."""
        return time_text(self.clock)

    @property
    def equity(self) -> float:
        """The account at the last prices."""
        return float(self._engine.portfolio.equity())

    @property
    def cash(self) -> float:
        """The account's cash."""
        return float(self._engine.portfolio.cash())

    @property
    def open_orders(self) -> int:
        """How many orders are not done."""
        return len(self._engine.state.orders.by_id)

    @property
    def orders(self) -> int:
        """Orders sent or denied so far."""
        state = self._engine.state
        return int(state.submitted + state.denied)

    @property
    def fills(self) -> int:
        """Executions so far."""
        return int(self._engine.state.fills.count)

    @property
    def signals(self) -> int:
        """Signals recorded so far."""
        return int(self._engine.state.last_signal_id)

    @property
    def bars(self) -> int:
        """Bars seen so far, of every instrument."""
        return int(self._engine.bars)

    @property
    def events(self) -> int:
        """Market events seen so far."""
        return int(self._engine.events)

    def position(self, symbol: str | None = None) -> float:
        """What the account holds of a symbol, below 0 while short. Raises: UsageError: none such, or several and none named."""
        held = self._holding(symbol)
        return float(held.units / 10.0**held.instrument.qty_decimals)

    def last_price(self, symbol: str | None = None) -> float:
        """The latest price of a symbol; nan before the first. Raises: UsageError: as for `position`."""
        held = self._holding(symbol)
        return float(held.last / 10.0**held.instrument.price_decimals)

    def strategy(self, name: str | None = None) -> Any:
        """A strategy by the name of its seat. Raises: UsageError: none such, or several and none named."""
        seats = {seat.name: seat.strategy for seat in self._engine.seats}
        if name is None and len(seats) == 1:
            return next(iter(seats.values()))
        if name is None:
            raise UsageError(f"s is one strategy, and the run has {len(seats)}", hint=f'write strategy("{min(seats)}")')
        if name not in seats:
            raise UsageError(f"the run has no strategy {name!r}", hint=did_you_mean(str(name), seats))
        return seats[name]

    def _holding(self, symbol: str | None) -> Any:
        holdings = self._engine.portfolio.holdings
        if symbol is None and len(holdings) == 1:
            return holdings[0]
        if symbol is None:
            raise UsageError(
                f"the run has {len(holdings)} instruments: name one", hint=f"for example {min(self._index)!r}"
            )
        if symbol not in self._index:
            raise UsageError(f"the run has no symbol {symbol!r}", hint=did_you_mean(str(symbol), self._index))
        return holdings[self._index[symbol]]

    # ---- facts

    def facts(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold: what is not a number is None."""
        portfolio = self._engine.portfolio
        readings = PortfolioReadings(portfolio)
        profit = total(shares(portfolio))
        return {
            "time": self.time,
            "clock": self.clock,
            "account": {
                **readings.facts(),
                "equity": _number(self.equity),
                "cash": self.cash,
                "gross": _number(portfolio.gross()),
                "net": _number(portfolio.net()),
                "realised": float(profit.money("realised")),
                "fees": float(profit.money("fees")),
            },
            "counts": {
                name: getattr(self, name) for name in ("events", "bars", "orders", "fills", "signals", "open_orders")
            },
            "positions": [self._position(entry) for entry in portfolio.positions if entry.units],
            "open_orders": [_order(order) for order in self._engine.open_orders()],
            "strategies": {seat.name: strategy_facts(seat) for seat in self._engine.seats},
            "last_events": [
                last
                for stream in self._playing.loop.source.streams
                if (last := _last(stream, self._playing.backtest.instruments, self._engine.books.books))
            ],
        }

    def _position(self, position: Any) -> dict[str, Any]:
        return {
            "strategy": position.strategy,
            "symbol": position.instrument.symbol,
            "qty": position.qty,
            "average_price": _number(position.average_price),
            "last_price": _number(self.last_price(position.instrument.id)),
            "unrealised": _number(position.unrealised),
        }


def strategy_facts(seat: Any) -> dict[str, Any]:
    """A strategy's indicators and attributes, those that begin with _ aside; indicators without a name by what they are."""
    indicators, attributes, named = {}, {}, set()
    for name, value in vars(seat.strategy).items():
        if name.startswith("_") or name in ("instrument", "position"):
            continue
        if isinstance(value, Indicator | MarketFeature):
            indicators[name] = _number(value.value)
            named.add(value)
        else:
            attributes[name] = _shown(value)
    for sub in seat.subscriptions:
        of = f" of {sub.instrument.symbol}" if len(seat.subscriptions) > 1 else ""
        declared: list[Any] = [one for held in sub.sets() for one in held]
        declared += [] if sub.features is None else sub.features.ordered
        for indicator in (one for one in declared if one not in named):
            indicators[f"{indicator!r}{of}"] = _number(indicator.value)
    return {"indicators": indicators, "attributes": attributes}


def _names(instrument: Instrument) -> tuple[str, str]:
    return instrument.symbol, instrument.id


def _order(order: Any) -> dict[str, Any]:
    return {
        "id": order.id,
        "strategy": order.strategy,
        "symbol": order.symbol,
        "side": order.side.name,
        "type": order.order_type.name,
        "qty": order.qty,
        "filled": order.filled,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "time_in_force": order.time_in_force.name,
        "state": order.state.name,
    }


def _last(stream: Stream, instruments: Sequence[Instrument], books: Sequence[Any]) -> dict[str, Any] | None:
    """What a stream handed out last, of a book how it stands; None before its first. Prices in the quote currency."""
    row = stream.passed()
    if row is None:
        return None
    head = int(row[3])
    instrument = instruments[head >> 32]
    kind = EventKind(head & 0xFF)
    price, qty = 10.0**instrument.price_decimals, 10.0**instrument.qty_decimals
    found: dict[str, Any] = {"symbol": instrument.symbol, "kind": _KINDS.get(kind, kind.name.lower()), "time": time_text(int(row[0]))}  # fmt: skip
    if kind is EventKind.BAR:
        found["series"] = (head >> 16) & 0xFFFF
        found |= {name: row[4 + k] / price for k, name in enumerate(("open", "high", "low", "close"))}
        found["volume"] = _number(float(row[8]))
    elif kind is EventKind.QUOTE:
        found |= {"bid": row[4] / price, "ask": row[5] / price, "bid_qty": row[6] / qty, "ask_qty": row[7] / qty}
    elif kind is EventKind.TRADE:
        found |= {"price": row[4] / price, "qty": row[5] / qty}
    elif kind is EventKind.BOOK and (book := books[head >> 32]) is not None:
        view = BookView(book)
        found |= {"bid": view.bid, "ask": view.ask, "bid_qty": view.bid_qty, "ask_qty": view.ask_qty}
        found["state"] = view.status[0].name
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _shown(value: Any) -> Any:
    """An attribute as JSON can hold it; long ones are cut, and say so."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, (list, tuple)):
        listed = [_shown(entry) for entry in value[-_LISTED_MAX:]]
        return listed if len(value) <= _LISTED_MAX else [f"... {len(value) - _LISTED_MAX} before", *listed]
    if isinstance(value, dict):
        return {str(key): _shown(entry) for key, entry in list(value.items())[:_LISTED_MAX]} | (
            {"...": f"{len(value) - _LISTED_MAX} more"} if len(value) > _LISTED_MAX else {}
        )
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}..."
