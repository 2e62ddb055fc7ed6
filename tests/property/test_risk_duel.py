"""The gate decides as an independent slow checker does (reliability goal R4); `tools/risk_duel.py` asks far more orders."""

import pytest
from gate_duel import duel
from hypothesis import given, settings
from hypothesis import strategies as st

RULES = {
    "approved", "kill_switch", "order_qty", "position", "buying_power", "stale_price", "price_band", "order_notional",
    "position_notional", "open_orders", "strategy_position", "self_trade", "positions", "gross_exposure", "leverage",
    "net_exposure", "daily_loss", "drawdown", "account_open_orders", "strategy_open_orders", "duplicate", "throttle",
    "strategy_throttle", "account_throttle",
}  # fmt: skip


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_gate_and_slow_checker_agree_on_every_order(seed: int) -> None:
    tally = duel(seed, 500, episode=250)
    assert tally.disagreements == 0, tally.wrong


@pytest.mark.slow
def test_duel_reaches_every_rule() -> None:
    tally = duel(4, 20_000, episode=500)
    assert tally.disagreements == 0, tally.wrong
    assert set(tally.rules) == RULES
    assert tally.rules["approved"] > 2000
