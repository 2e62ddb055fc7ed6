"""Venues by name: latency, fees, slippage and fill rules that belong together, as a settings file would write them.

A preset is a starting point that errs on the dear side, not the tariff of a broker: each key can be overridden.
"""

from typing import Any

DEFAULT_PRESET = "standard"

PRESETS: dict[str, dict[str, Any]] = {
    # What `lockstep backtest` does without options: every key its default.
    "standard": {},
    # A retail account for US shares: 0.005 a share and at least 1 an order; orders cross the public internet.
    "us-equities": {"fees": "0.005/share + 1/minimum", "latency": "standard", "slippage_bps": 1},
    # A spot exchange overseas, reached from a home: a lowest-tier fee each way, 200 ms to the matching engine.
    "crypto-remote": {"fees": "0.1%", "latency": "remote", "slippage_bps": 2},
    # In the venue's own data centre: tenths of a millisecond; fees stay the instrument's own.
    "colocated": {"latency": "colocated", "slippage_bps": "0.5"},
    # Nothing costs or takes any time: for comparing with other programs, never for judging a strategy.
    "perfect": {
        "fees": "0",
        "latency": "none",
        "slippage_bps": 0,
        "limit_fill": "touch",
        "participation": "none",
    },
}
