"""Let the risk gate and an independent slow checker judge the same random orders; the last line is JSON.

    PYTHONPATH=src python tools/risk_duel.py --orders 10000000

Exit code 1 where they disagree. The checker is tests/support/slow_risk.py.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from gate_duel import duel

_BATCH = 100_000


def main() -> int:
    """Run batches, each with a seed of its own, until so many orders are judged or the time is over."""
    parser = argparse.ArgumentParser(description="the risk gate against a slow checker")
    parser.add_argument("--orders", type=int, default=1_000_000, help="how many orders to judge")
    parser.add_argument("--seed", type=int, default=1, help="of the first batch")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after the batch in which so long has passed")
    given = parser.parse_args()
    started = time.monotonic()
    orders = edges = disagreements = 0
    rules: dict[str, int] = {}
    seed = given.seed
    while orders < given.orders and time.monotonic() - started < given.minutes * 60:
        tally = duel(seed, min(_BATCH, given.orders - orders))
        orders, edges, disagreements = orders + tally.orders, edges + tally.edges, disagreements + tally.disagreements
        for rule, count in tally.rules.items():
            rules[rule] = rules.get(rule, 0) + count
        for line in tally.wrong:
            print(f"seed {seed}: {line}")
        seed += 1
    facts = {
        "seeds": [given.seed, seed - 1],
        "orders": orders,
        "disagreements": disagreements,
        "within_float_of_a_limit": edges,
        "seconds": round(time.monotonic() - started, 1),
        "verdicts": dict(sorted(rules.items())),
    }
    print(json.dumps(facts))
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
