"""What the gate allows, as data: for every instrument, for one symbol, for one strategy, for the account."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from lockstep.model.errors import ParseError, RefuseError, UsageError, did_you_mean
from lockstep.model.numbers import NANOS_PER_DAY, exact_fraction

TRIGGERS = ("daily_loss", "drawdown", "position")
"""What can fire the kill switch by itself: losses, and a fill that brought a position beyond its limit."""
FRACTIONS = (
    "order_fraction_max",
    "position_fraction_max",
    "price_band",
    "daily_loss_max",
    "drawdown_max",
    "account_risk_max",
)
"""Limits that are a part of something, 0 to 1, except that a position may be many times the equity."""
COUNTS_MAX = 1_000_000
SPAN_MAX_NS = 100 * 365 * NANOS_PER_DAY
"""Of a length of time: longer ones mean no limit, and are said by leaving it out."""


class SymbolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one instrument over all strategies; None is no limit, or the limit said for every instrument.

    order_qty_max, position_max: base units of one order, and of |position| if every working order filled.
    *_notional_max: the same in currency; *_fraction_max: in parts of the account's equity. open_orders_max: orders that
    work there. orders_per_second: sent in any one second. price_band: distance of a limit price from the last price (of
    quotes, the mid), as a part of that. price_age_max_ns: how old the last price may be. duplicate_ns: how soon a
    strategy may send the same order again.
    """

    order_qty_max: Decimal | None = None
    order_notional_max: Decimal | None = None
    order_fraction_max: Decimal | None = None
    position_max: Decimal | None = None
    position_notional_max: Decimal | None = None
    position_fraction_max: Decimal | None = None
    open_orders_max: int | None = None
    orders_per_second: int | None = None
    price_band: Decimal | None = None
    price_age_max_ns: int | None = None
    duplicate_ns: int | None = None

    def __post_init__(self) -> None:
        """Raises: RefuseError: a limit below 0, no number, or in another unit than its own."""
        check_limits(self)


class StrategyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one strategy, beside those of its instruments; the tighter one counts.

    order_qty_max, order_notional_max: of one order. position_max: base units of its own |position| in an instrument if all
    its working orders there filled. open_orders_max, orders_per_second: over all its instruments.
    """

    order_qty_max: Decimal | None = None
    order_notional_max: Decimal | None = None
    position_max: Decimal | None = None
    open_orders_max: int | None = None
    orders_per_second: int | None = None

    def __post_init__(self) -> None:
        """Raises: RefuseError: as `SymbolLimits`."""
        check_limits(self)


class RiskLimits(SymbolLimits, frozen=True, kw_only=True):
    """Everything the gate is told. The fields of SymbolLimits are for each instrument that `symbols` says nothing else of.

    buying_power: refuse orders that could bring the account's exposure, whichever working orders fill, above equity x
    leverage. An order that only closes is never refused by it, nor by any limit of the account below but the throttles.
    self_trade: refuse an order that would meet a resting one of the account. session_hours: refuse orders while the
    venue is closed. strategies: limits by strategy. positions_max: instruments held, or that working orders may open.
    gross_max, net_max: currency; leverage_max: gross exposure in parts of equity; each if every working order filled.
    account_open_orders_max, account_orders_per_second, cancels_per_second: over everything. daily_loss_max: of the
    equity the UTC day began with; drawdown_max: of the highest equity. halt_on: which of TRIGGERS fire the kill switch
    besides; refusals_max: refusals after which it fires. account_risk_max: what a
    trade may lose at its stop, in parts of equity, and volatility_lookback, bars: both are for `self.size_for_...`.
    """

    buying_power: bool = True
    self_trade: bool = False
    session_hours: bool = False
    positions_max: int | None = None
    gross_max: Decimal | None = None
    net_max: Decimal | None = None
    leverage_max: Decimal | None = None
    account_open_orders_max: int | None = None
    account_orders_per_second: int | None = None
    cancels_per_second: int | None = None
    daily_loss_max: Decimal | None = None
    drawdown_max: Decimal | None = None
    refusals_max: int | None = None
    account_risk_max: Decimal | None = None
    volatility_lookback: int | None = None
    halt_on: tuple[str, ...] = TRIGGERS
    symbols: dict[str, SymbolLimits] = {}
    strategies: dict[str, StrategyLimits] = {}

    def __post_init__(self) -> None:
        """Raises: RefuseError: as `SymbolLimits`, or an unknown trigger."""
        check_limits(self)
        for trigger in self.halt_on:
            if trigger not in TRIGGERS:
                raise RefuseError(
                    f"unknown trigger of the kill switch {trigger!r}", hint=did_you_mean(trigger, TRIGGERS)
                )

    def of_symbol(self, symbol: str) -> SymbolLimits:
        """The limits of one instrument: its own where it has some, else those of every instrument."""
        own = self.symbols.get(symbol.upper())
        values: dict[str, Any] = {}
        for name in SymbolLimits.__struct_fields__:
            said = None if own is None else getattr(own, name)
            values[name] = getattr(self, name) if said is None else said
        return SymbolLimits(**values)

    def of_strategy(self, name: str) -> StrategyLimits:
        """The limits of one strategy. name: of a seat; a seat of one symbol, "trend:AAPL", belongs to "trend"."""
        return self.strategies.get(self.strategy_key(name), StrategyLimits())

    def strategy_key(self, name: str) -> str:
        """The strategy that a seat belongs to."""
        return name if name in self.strategies else name.partition(":")[0]

    def check_names(self, symbols: Iterable[str], strategies: Iterable[str]) -> None:
        """Raises: UsageError: a limit of a symbol or strategy that the run does not have: it would protect nothing."""
        for what, said, known in (
            ("symbol", self.symbols, sorted(symbols)),
            ("strategy", self.strategies, sorted(strategies)),
        ):
            for name in said:
                if name not in known:
                    hint = did_you_mean(name, known)
                    raise UsageError(f"risk limits of {what} {name!r}: the run has no such {what}", hint=hint)


def check_limits(limits: msgspec.Struct) -> None:
    """Every number of a table of limits. Raises: RefuseError: below 0, no number, or in another unit."""
    for name in limits.__struct_fields__:
        value = getattr(limits, name)
        if value is None or isinstance(value, (tuple, dict)) or name in ("buying_power", "self_trade", "session_hours"):
            continue
        try:
            exact = exact_fraction(value)
        except ParseError as e:
            raise RefuseError(f"risk limit {name}: {e}") from None
        if exact < 0:
            raise RefuseError(f"risk limit {name} was {value}, must be 0 or more")
        if name in FRACTIONS and exact > 1 and name != "position_fraction_max":
            hint = f"{value} % is {exact_text(value)}"
            raise RefuseError(f"risk limit {name} was {value}, must be a fraction from 0 to 1", hint=hint)
        if name.endswith("_ns") and (exact.denominator != 1 or exact > SPAN_MAX_NS):
            raise RefuseError(f"risk limit {name} was {value}, must be a whole number of ns up to {SPAN_MAX_NS:,}")
        counted = name.endswith(("orders_max", "per_second", "positions_max", "refusals_max", "lookback"))
        if counted and (exact.denominator != 1 or exact > COUNTS_MAX):
            raise RefuseError(f"risk limit {name} was {value}, must be a whole number up to {COUNTS_MAX:,}")


def exact_text(percent: object) -> str:
    """A percentage as the fraction it is."""
    return format((Decimal(str(percent)) / 100).normalize(), "f")


NO_LIMITS = RiskLimits()
"""Buying power alone: what a backtest is run under unless something is said."""

STANDARD = RiskLimits(price_band=Decimal("0.05"), orders_per_second=10, self_trade=True, price_age_max_ns=60 * 10**9)
"""Where money is at stake: a 5 % band, 10 orders a second and symbol, no self-trade, a price of the last minute."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why the gate said no: the rule, its limit and what the order would have made of it.

    limit, actual: in the rule's own unit (docs/guides/risk.md lists them); 0.0 where it has no number.
    """

    rule: str
    limit: float
    actual: float


NO_KILL = ("reset", "limits")
"""Acts that do not fire the kill switch."""


class RiskAct(msgspec.Struct, frozen=True, kw_only=True):
    """The kill switch went on or was reset, or the limits were changed.

    ts: ns UTC. rule: what fired it ("daily_loss"; "kill_switch" for a command), or one of NO_KILL. who, why: of a command;
    "risk" and its rule where it fired by itself. limit, actual: as in Refused.
    """

    ts: int
    rule: str
    who: str
    why: str
    limit: float = 0.0
    actual: float = 0.0
