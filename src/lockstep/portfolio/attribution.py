"""Where the account's profit came from, exactly: by strategy, by instrument, by currency. Every table sums to the account.

The cells are the positions: one strategy in one instrument. What a cell earned is kept in the currency it settles in and
read in the account's, each amount converted at the last rate and rounded down once; an account's figure is the sum of its
cells', so that no way of grouping them can give another total.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Any

import msgspec

from lockstep.model.errors import StateError, UsageError, did_you_mean
from lockstep.model.numbers import Money, decimal_from_fixed
from lockstep.portfolio.currencies import converted
from lockstep.portfolio.portfolio import Portfolio
from lockstep.portfolio.position import Position

MONEY_PARTS = ("realised", "unrealised", "fees", "dividends", "funding", "borrow")
GROUPS = ("strategy", "symbol", "currency")


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the account's profit. Money is in ledger units of 10**-decimals of the account's currency.

    realised, unrealised: before fees. dividends, funding, borrow: received less paid. slippage, spread_cost: what fills lost
    to them, floats, inside realised and unrealised already. strategy, symbol, currency: empty where a group mixes several.
    """

    strategy: str = ""
    symbol: str = ""
    currency: str = ""
    decimals: int = 0
    fills: int = 0
    realised: Money = 0
    unrealised: Money = 0
    fees: Money = 0
    dividends: Money = 0
    funding: Money = 0
    borrow: Money = 0
    slippage: float = 0.0
    spread_cost: float = 0.0

    @property
    def net(self) -> Money:
        """What it added to the account."""
        return self.realised + self.unrealised + self.dividends + self.funding + self.borrow - self.fees

    def money(self, name: str) -> Decimal:
        """One of its amounts ("net" too) as money, exact."""
        return decimal_from_fixed(getattr(self, name), self.decimals)

    def facts(self) -> dict[str, str | int | float]:
        """Plain data: money as the exact text of its amount."""
        amounts = {name: f"{self.money(name):f}" for name in (*MONEY_PARTS, "net")}
        names = {name: getattr(self, name) for name in GROUPS}
        return {**names, "fills": self.fills, **amounts, "slippage": self.slippage, "spread_cost": self.spread_cost}


def shares(portfolio: Portfolio) -> list[Share]:
    """The cells: each strategy in each instrument it may trade, in the order they were seated.

    Raises: StateError: something was earned in a currency whose rate is not known.
    """
    return [_share(portfolio, position) for position in portfolio.positions]


def grouped(cells: Iterable[Share], by: str) -> list[Share]:
    """The cells' sums by "strategy", "symbol" or "currency", in the order of their first cell. Raises: UsageError: another."""
    if by not in GROUPS:
        raise UsageError(f"profit is grouped by {', '.join(GROUPS)}: was {by!r}", hint=did_you_mean(by, GROUPS))
    name: Callable[[Share], str] = attrgetter(by)
    found: dict[str, list[Share]] = {}
    for cell in cells:
        found.setdefault(name(cell), []).append(cell)
    return [total(members) for members in found.values()]


def total(cells: Iterable[Share]) -> Share:
    """The sum of cells; a name stands where all of them have it."""
    members = list(cells)
    counted = ("fills", *MONEY_PARTS, "slippage", "spread_cost")
    sums: dict[str, Any] = {name: sum(getattr(cell, name) for cell in members) for name in counted}
    names: dict[str, Any] = {name: _only({getattr(cell, name) for cell in members}) for name in GROUPS}
    return Share(**sums, **names, decimals=members[0].decimals if members else 0)


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The account at the last prices and rates, exactly: ledger units of 10**-decimals of its currency.

    cash: by currency, in that currency. equity: each currency's cash and positions, converted and rounded down once, summed.
    transfers: paid in less taken out, at the last rates. exchange: what balances gained by a change of rates since they
    were paid in, and what rounding left: 0 in an account of one currency without inverse contracts.
    equity = opening + transfers + profit.net + exchange, to the unit.
    """

    currency: str
    decimals: int
    cash: dict[str, Money]
    opening: Money
    transfers: Money
    equity: Money
    profit: Share
    exchange: Money

    def facts(self) -> dict[str, object]:
        """Plain data: money as exact text."""

        def text(units: Money) -> str:
            return f"{decimal_from_fixed(units, self.decimals):f}"

        amounts = {name: text(getattr(self, name)) for name in ("opening", "transfers", "equity", "exchange")}
        cash = {currency: text(units) for currency, units in self.cash.items()}
        return {"currency": self.currency, "cash": cash, **amounts, "profit": self.profit.facts()}


def statement(portfolio: Portfolio) -> Statement:
    """The account now. Raises: StateError: a balance or a position in a currency whose rate is not known."""
    equity = transfers = 0
    for ledger, rate in zip(portfolio.ledgers, portfolio.rates, strict=True):
        held = Fraction(ledger.cash)
        for position in portfolio.positions:
            if position.holding.ledger is ledger and position.units:
                held += worth_of(position) if position.holding.valuation.cash_settled else open_profit(position)
        equity += _in_account(ledger.currency, held, rate)
        transfers += _in_account(ledger.currency, ledger.transfers, rate)
    own = portfolio.ledger
    profit = total(shares(portfolio))
    return Statement(
        currency=own.currency,
        decimals=own.decimals,
        cash={ledger.currency: ledger.cash for ledger in portfolio.ledgers},
        opening=own.opening,
        transfers=transfers,
        equity=equity,
        profit=profit,
        exchange=equity - own.opening - transfers - profit.net,
    )


def worth_of(position: Position) -> Fraction:
    """What is held at the last price, ledger units of the settlement currency, exactly; it grows with the price."""
    return Fraction(position.holding.valuation.worth(position.holding.last_units, position.units))


def open_profit(position: Position) -> Fraction:
    """Unrealised profit at the last price, before fees, ledger units of the settlement currency, exactly; 0 when flat."""
    return worth_of(position) - position.basis if position.units else Fraction(0)


def _share(portfolio: Portfolio, position: Position) -> Share:
    holding = position.holding
    currency, rate = holding.ledger.currency, holding.rate
    amounts: dict[str, Any] = {
        name: getattr(position, name) for name in ("realised", "fees", "dividends", "funding", "borrow")
    }
    costs = {name: getattr(position, name) for name in ("slippage", "spread_cost")}
    lost: dict[str, Any] = {name: holding.in_account(cost) if cost else 0.0 for name, cost in costs.items()}
    return Share(
        strategy=position.strategy,
        symbol=position.instrument.id,
        currency=currency,
        decimals=portfolio.ledger.decimals,
        fills=position.fills,
        unrealised=_in_account(currency, open_profit(position), rate),
        **{name: _in_account(currency, units, rate) for name, units in amounts.items()},
        **lost,
    )


def _in_account(currency: str, units: Money | Fraction, rate: object) -> Money:
    if rate is None or not units:
        return converted(units, None)
    exact: Fraction | None = rate.exact()  # type: ignore[attr-defined]
    if exact is None:
        raise StateError(f"no rate of {currency} is known yet: nothing can be said of it in the account's currency")
    return converted(units, exact)


def _only(names: set[str]) -> str:
    return next(iter(names)) if len(names) == 1 else ""
