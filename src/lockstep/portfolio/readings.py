"""The account as a strategy, a risk rule or a dashboard may read it: every figure, and no way to change one."""

import math
from decimal import Decimal

from lockstep.portfolio.attribution import Share, Statement, grouped, shares, statement
from lockstep.portfolio.portfolio import RECENT_MARKS, Portfolio


class PortfolioReadings:
    """Figures of one account at the last prices and rates, in the account's currency unless said. Read-only.

    A mark is when a row of the equity curve is written: after the events of each clock, or once a minute on ticks.
    """

    __slots__ = ("_portfolio",)

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio

    @property
    def currency(self) -> str:
        """What the account counts in."""
        return str(self._portfolio.ledger.currency)

    @property
    def cash(self) -> float:
        """Cash of every currency."""
        return self._portfolio.cash()

    @property
    def cash_by_currency(self) -> dict[str, Decimal]:
        """Cash of each currency, in that currency, exactly."""
        return {ledger.currency: ledger.balance for ledger in self._portfolio.ledgers}

    @property
    def equity(self) -> float:
        """Cash and what the positions add to it; nan where a currency's rate is not known."""
        return self._portfolio.equity()

    @property
    def gross(self) -> float:
        """Sum of the absolute exposures."""
        return self._portfolio.gross()

    @property
    def net(self) -> float:
        """Sum of the signed exposures."""
        return self._portfolio.net()

    @property
    def leverage(self) -> float:
        """Gross exposure over equity; nan when equity is 0."""
        return self._portfolio.leverage

    @property
    def buying_power(self) -> float:
        """Exposure that may still be opened."""
        return self._portfolio.buying_power()

    @property
    def margin_used(self) -> float:
        """Equity that what is held ties up: each exposure times its initial margin rate."""
        return self._portfolio.margin_used

    @property
    def margin_free(self) -> float:
        """Equity less the margin used; below 0 where more is held than could be opened now."""
        return self._portfolio.equity() - self._portfolio.margin_used

    @property
    def margin_maintenance(self) -> float:
        """Equity that must stay while what is held is held."""
        return self._portfolio.margin_maintenance

    @property
    def margin_call(self) -> bool:
        """Whether equity was below the maintenance margin at the last mark."""
        return bool(self._portfolio.margin_call)

    @property
    def peak_equity(self) -> float:
        """The highest equity of all marks, and of the start."""
        return self._portfolio.peak_equity

    @property
    def drawdown(self) -> float:
        """Equity over its peak, less 1: 0.0 at a peak, -0.2 a fifth below it. nan where there was never any equity."""
        peak = max(self._portfolio.peak_equity, self.equity)
        return self.equity / peak - 1.0 if peak > 0.0 else math.nan

    @property
    def weights(self) -> dict[str, float]:
        """Each instrument's share of the gross exposure, above 0, by its id; what is not held is left out."""
        exposures = {h.instrument.id: abs(h.exposure()) for h in self._portfolio.holdings if h.units}
        gross = sum(exposures.values())
        return {name: exposure / gross if gross else math.nan for name, exposure in exposures.items()}

    @property
    def concentration(self) -> float:
        """The largest weight: 1.0 where one instrument is all; 0.0 while nothing is held."""
        return max(self.weights.values(), default=0.0)

    @property
    def herfindahl(self) -> float:
        """Sum of the squared weights: 1.0 for one instrument, 1 / n for n equal ones; 0.0 while nothing is held.

        Source: Hirschman (1964), "The Paternity of an Index".
        """
        return math.fsum(weight * weight for weight in self.weights.values())

    def volatility(self, marks: int = RECENT_MARKS) -> float:
        """Standard deviation of equity's returns from mark to mark, over the last `marks` marks (at most 256).

        A fraction a mark, not a year: what a mark is depends on the data. nan before the third mark.
        """
        levels = self._portfolio.recent_equity(marks)
        returns = [after / before - 1.0 for before, after in zip(levels, levels[1:], strict=False) if before > 0.0]
        if len(returns) < 2:
            return math.nan
        mean = math.fsum(returns) / len(returns)
        return math.sqrt(math.fsum((one - mean) ** 2 for one in returns) / (len(returns) - 1))

    def profit(self, by: str = "") -> list[Share]:
        """Where the profit came from: each strategy in each instrument, or summed by "strategy", "symbol" or "currency"."""
        cells = shares(self._portfolio)
        return grouped(cells, by) if by else cells

    def statement(self) -> Statement:
        """The account exactly: cash, equity, profit. Raises: StateError: a rate that is needed is not known."""
        return statement(self._portfolio)

    def facts(self) -> dict[str, float | str | bool | None]:
        """Every single figure as plain data; what is not a number is None."""
        names = (
            "equity", "cash", "gross", "net", "leverage", "buying_power", "margin_used", "margin_free",
            "margin_maintenance", "peak_equity", "drawdown", "concentration", "herfindahl",
        )  # fmt: skip
        found: dict[str, float | str | bool | None] = {"currency": self.currency, "margin_call": self.margin_call}
        for name in names:
            found[name] = _number(getattr(self, name))
        return {**found, "volatility": _number(self.volatility())}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
