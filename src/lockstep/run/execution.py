"""What a manifest says of orders on books: under which model, how they fared, and what they cost in messages."""

from typing import Any

import msgspec
import numpy as np

from lockstep.analytics.execution import fill_rates, mark_outs, messages_a_fill
from lockstep.model.enums import Settlement
from lockstep.run.backtest import Outcome
from lockstep.run.tables import kind_counts, markout_blocks, placement_columns
from lockstep.store.run_tables import RUN_TABLES


def execution_facts(outcome: Outcome) -> dict[str, Any] | None:
    """The "execution" object of a manifest; None for a run without order books."""
    books = {market.instrument.symbol: market.depth for market in outcome.markets if market.depth is not None}
    if not books:
        return None
    config = outcome.backtest.config.books
    kinds = kind_counts(outcome)
    messages = {
        "orders": outcome.orders,
        "replaces": kinds.get("replace_request", 0),
        "cancels": kinds.get("cancel_request", 0),
    }
    instruments = [depth.book.instrument for depth in books.values()]
    ticks = {one.symbol: one.tick_size / 10.0**one.price_decimals for one in instruments}
    plain = (Settlement.LINEAR, Settlement.CASH)
    worth = {one.symbol: float(one.multiplier) if one.settlement in plain else None for one in instruments}
    return {
        "queue": {
            symbol: _queue_text(config.queue, str(config.power), depth.orders is not None)
            for symbol, depth in books.items()
        },
        "recovery_ns": config.recovery_ns,
        "silence_max_ns": config.silence_max_ns,
        "messages": messages,
        "order_to_trade": messages_a_fill(sum(messages.values()), outcome.fills),
        "fill_rates": msgspec.to_builtins(fill_rates(placement_columns(outcome))),
        "mark_outs": msgspec.to_builtins(mark_outs(_marks(outcome), ticks, worth)),
    }


def _queue_text(asked: str, power: str, tells_orders: bool) -> str:
    if asked == "auto":
        return "exact" if tells_orders else "pessimistic"
    return f"{asked}:{power}" if asked == "power" else asked


def _marks(outcome: Outcome) -> dict[str, Any]:
    """The mark-outs table whole."""
    blocks = list(markout_blocks(outcome))
    return {
        name: np.concatenate([block[name] for block in blocks]) if blocks else np.empty(0)
        for name in RUN_TABLES["markouts"]
    }
