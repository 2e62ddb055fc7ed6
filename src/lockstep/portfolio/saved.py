"""The account as plain data, and back. What the instruments and the opening balance decide is not saved: it is made anew.

Each object is written field by field under the field's own name; a test compares the names with the declarations.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.portfolio.ledger import Ledger
    from cython.cimports.lockstep.portfolio.portfolio import Portfolio
    from cython.cimports.lockstep.portfolio.position import Holding, Position
else:
    from lockstep.portfolio.ledger import Ledger
    from lockstep.portfolio.portfolio import Portfolio
    from lockstep.portfolio.position import Holding, Position
from lockstep.model.errors import StateError
from lockstep.model.numbers import Money


def save_portfolio(portfolio: Portfolio) -> dict[str, Any]:
    """The ledgers, what is held, every strategy's positions, and what the marks left."""
    return {
        "ledgers": [save_ledger(ledger) for ledger in portfolio.ledgers],
        "holdings": [save_holding(holding) for holding in portfolio.holdings],
        "positions": [save_position(position) for position in portfolio.positions],
        "marked_equity": portfolio.marked_equity,
        "marked_cash": portfolio.marked_cash,
        "marked_gross": portfolio.marked_gross,
        "marked_net": portfolio.marked_net,
        "marked_margin": portfolio.marked_margin,
        "marked_maintenance": portfolio.marked_maintenance,
        "peak_equity": portfolio.peak_equity,
        "margin_call": portfolio.margin_call,
        "marks": portfolio.marks,
        "recent": [float(equity) for equity in portfolio.recent],
    }


def restore_portfolio(portfolio: Portfolio, saved: Mapping[str, Any]) -> None:
    """Continue from `save_portfolio`: the same instruments and strategies. Raises: StateError: others."""
    counts = len(saved["holdings"]), len(saved["positions"]), len(saved["ledgers"])
    if counts != (len(portfolio.holdings), len(portfolio.positions), len(portfolio.ledgers)):
        raise StateError(
            f"the saved account holds {counts[0]} instruments, {counts[1]} positions and {counts[2]} currencies, "
            f"this one {len(portfolio.holdings)}, {len(portfolio.positions)} and {len(portfolio.ledgers)}"
        )
    for ledger, entry in zip(portfolio.ledgers, saved["ledgers"], strict=True):
        restore_ledger(ledger, entry)
    for holding, entry in zip(portfolio.holdings, saved["holdings"], strict=True):
        restore_holding(holding, entry)
    for position, entry in zip(portfolio.positions, saved["positions"], strict=True):
        restore_position(position, entry)
    portfolio.marked_equity = saved["marked_equity"]
    portfolio.marked_cash = saved["marked_cash"]
    portfolio.marked_gross = saved["marked_gross"]
    portfolio.marked_net = saved["marked_net"]
    portfolio.marked_margin = saved["marked_margin"]
    portfolio.marked_maintenance = saved["marked_maintenance"]
    portfolio.peak_equity = saved["peak_equity"]
    portfolio.margin_call = saved["margin_call"]
    portfolio.marks = saved["marks"]
    for place, equity in enumerate(saved["recent"]):
        portfolio.recent[place] = equity


def save_ledger(ledger: Ledger) -> dict[str, Any]:
    """Cash and where it went, ledger units."""
    return {
        "cash": ledger.cash,
        "fees": ledger.fees,
        "dividends": ledger.dividends,
        "realised": ledger.realised,
        "in_lieu": ledger.in_lieu,
        "funding": ledger.funding,
        "borrow": ledger.borrow,
        "transfers": ledger.transfers,
        "cash_float": ledger.cash_float,
    }


def restore_ledger(ledger: Ledger, saved: Mapping[str, Any]) -> None:
    """Continue from `save_ledger`."""
    ledger.cash = saved["cash"]
    ledger.fees = saved["fees"]
    ledger.dividends = saved["dividends"]
    ledger.realised = saved["realised"]
    ledger.in_lieu = saved["in_lieu"]
    ledger.funding = saved["funding"]
    ledger.borrow = saved["borrow"]
    ledger.transfers = saved["transfers"]
    ledger.cash_float = saved["cash_float"]


def save_holding(holding: Holding) -> dict[str, Any]:
    """What the account holds of an instrument, what may still fill, and its last price."""
    return {
        "units": holding.units,
        "last_units": holding.last_units,
        "last_clock": holding.last_clock,
        "last": holding.last,
        "suspended": holding.suspended,
        "split_ts": holding.split_ts,
        "pending_buy": holding.pending_buy,
        "pending_sell": holding.pending_sell,
        "pending_buy_worth": holding.pending_buy_worth,
        "pending_sell_worth": holding.pending_sell_worth,
    }


def restore_holding(holding: Holding, saved: Mapping[str, Any]) -> None:
    """Continue from `save_holding`."""
    holding.units = saved["units"]
    holding.last_units = saved["last_units"]
    holding.last_clock = saved["last_clock"]
    holding.last = saved["last"]
    holding.suspended = saved["suspended"]
    holding.split_ts = saved["split_ts"]
    holding.pending_buy = saved["pending_buy"]
    holding.pending_sell = saved["pending_sell"]
    holding.pending_buy_worth = saved["pending_buy_worth"]
    holding.pending_sell_worth = saved["pending_sell_worth"]


def save_position(position: Position) -> dict[str, Any]:
    """A strategy's part of what is held. A basis that is a fraction is written as its two numbers."""
    basis: Any = position.basis
    return {
        "units": position.units,
        "fills": position.fills,
        "basis": [basis.numerator, basis.denominator] if isinstance(basis, Fraction) else basis,
        "basis_float": position.basis_float,
        "realised": position.realised,
        "last_profit": position.last_profit,
        "fees": position.fees,
        "dividends": position.dividends,
        "funding": position.funding,
        "borrow": position.borrow,
        "slippage": position.slippage,
        "spread_cost": position.spread_cost,
    }


def restore_position(position: Position, saved: Mapping[str, Any]) -> None:
    """Continue from `save_position`."""
    basis: Money | list[int] = saved["basis"]
    position.units = saved["units"]
    position.fills = saved["fills"]
    position.basis = Fraction(basis[0], basis[1]) if isinstance(basis, list) else basis
    position.basis_float = saved["basis_float"]
    position.realised = saved["realised"]
    position.last_profit = saved["last_profit"]
    position.fees = saved["fees"]
    position.dividends = saved["dividends"]
    position.funding = saved["funding"]
    position.borrow = saved["borrow"]
    position.slippage = saved["slippage"]
    position.spread_cost = saved["spread_cost"]
