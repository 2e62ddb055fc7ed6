"""The run hash and the decision hash: what makes two runs the same run.

Canonical bytes: compact JSON with sorted keys for what was given, the decision log's 64-byte records for what happened,
JSON again for the final ledger. Never paths, wall time, host, build or package version.
"""

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.engine.engine import Engine
from lockstep.engine.records import DECISION_SCHEMA_VERSION

HASH_SCHEMA_VERSION = 3


def canonical(value: Any) -> bytes:
    """One way to write plain data as bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


class RunIdentity:
    """Both hashes of a run, fed while it runs."""

    def __init__(self, given: dict[str, Any]) -> None:
        """given: strategy source, parameters, configuration, instruments and data hashes, as plain data."""
        self._given = given
        self.restart()

    def restart(self) -> None:
        """Forget the decisions: a restored run feeds those made before it was saved, then its own."""
        versions = {"hash_schema": HASH_SCHEMA_VERSION, "decision_schema": DECISION_SCHEMA_VERSION}
        self._run = hashlib.sha256(canonical(versions | self._given))
        self._decisions = hashlib.sha256(canonical(versions))

    def update(self, block: NDArray[np.int64]) -> None:
        """Decision log rows, int64 [n, 8]: a sink of the engine's log."""
        data = block.astype("<i8", copy=False).data.cast("B")
        self._run.update(data)
        self._decisions.update(data)

    def finish(self, engine: Engine) -> tuple[str, str]:
        """(run hash, decision hash) once the engine has stopped."""
        end = canonical(ledger_facts(engine))
        self._run.update(end)
        self._decisions.update(end)
        return self._run.hexdigest(), self._decisions.hexdigest()


def ledger_facts(engine: Engine) -> dict[str, Any]:
    """The final ledger and positions, exactly, as plain data."""
    ledger = engine.portfolio.ledger
    return {
        "currency": ledger.currency,
        "decimals": ledger.decimals,
        "opening": str(ledger.opening),
        "cash": str(ledger.cash),
        "fees": str(ledger.fees),
        "realised": str(ledger.realised),
        "dividends": str(ledger.dividends),
        "in_lieu": str(ledger.in_lieu),
        "funding": str(ledger.funding),
        "borrow": str(ledger.borrow),
        "beside": [
            [
                other.currency,
                *(str(getattr(other, name)) for name in ("cash", "fees", "realised", "dividends", "funding", "borrow")),
            ]
            for other in engine.portfolio.ledgers[1:]
        ],
        "positions": [
            [position.strategy, position.instrument.id, position.units, str(position.basis), str(position.realised)]
            for position in engine.portfolio.positions
        ],
    }
