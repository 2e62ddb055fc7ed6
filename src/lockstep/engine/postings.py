"""What a corporate action, funding or borrowing posts, and the record of each: rare, so in plain Python."""

from fractions import Fraction

from lockstep.engine.records import BORROW, DIVIDEND, FUNDING, IN_LIEU, SPLIT
from lockstep.engine.state import State
from lockstep.model.enums import CorporateAction


def post_action(state: State, instrument: int, what: int, first: int, second: int) -> None:
    """A split or dividend: positions and cash. first, second: as the market event has them."""
    if what == CorporateAction.SPLIT:
        rests = state.portfolio.split(instrument, first, second)
        if not state.in_history:
            state.log_plain(SPLIT, instrument, 0, 0, first, second, 0, 0)
        for owner, money, profit in rests:
            state.log_posting(IN_LIEU, instrument, owner, 0, 0, money)
            state.add_profit(profit)
        return
    for owner, money in state.portfolio.dividend(instrument, first, second):
        state.log_posting(DIVIDEND, instrument, owner, first, second, money)


def post_charge(state: State, instrument: int, what: int, rate: int, decimals: int, mark: int) -> None:
    """Funding of a perpetual contract, or a day's borrowing of what is held short: cash alone moves."""
    if state.in_history:
        return
    exact = Fraction(rate, 10**decimals)
    if what == CorporateAction.FUNDING:
        kind, paid = FUNDING, state.portfolio.fund(instrument, exact, mark)
    else:
        kind, paid = BORROW, state.portfolio.borrow(instrument, exact)
    for owner, money in paid:
        state.log_posting(kind, instrument, owner, rate, decimals, money)
