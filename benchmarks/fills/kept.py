"""hftbacktest's outcomes and the classes of the differences, kept in the repository: ours are compared with them without hftbacktest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.fills.ours import OUTCOME
from benchmarks.fills.rules import SWITCHES
from benchmarks.fills.schedule import Given

KEPT = Path(__file__).resolve().parents[2] / "tests" / "reality" / "hftbacktest_fills.npz"
MODELS = (("pessimistic", 0.0), ("power", 2.0), ("power", 3.0), ("log", 0.0))
RECORDINGS = ("usdm_btcusdt_20240808", "usdm_ethusdt_20240808", "cm_btcusd_perp_20240808")
_BITS = {name: 1 << bit for bit, name in enumerate(SWITCHES)}
_STOPS, _UNEXPLAINED = 1 << 14, 1 << 15


class Kept(NamedTuple):
    """One recording under one model. explained: a class for each order, "" where both agree. stopped: as `theirs.Theirs`."""

    schedule: str
    outcome: NDArray[np.void]
    stopped: NDArray[np.bool_]
    explained: list[str]


def kept_version() -> str:
    """Of the hftbacktest whose outcomes are kept."""
    with np.load(KEPT) as file:
        return str(file["version"])


def schedule_hash(given: Given) -> str:
    """Of the orders: what is kept holds for them alone."""
    return hashlib.blake2b(given.orders.tobytes(), digest_size=8).hexdigest()


def model_text(model: str, power: float) -> str:
    """As `--queue` says it."""
    return f"{model}:{power:g}" if model == "power" else model


def columns_of(kept: Kept, given: Given) -> dict[str, NDArray[np.generic]]:
    """Small numbers, which compress: times from the order's own, prices from its own."""
    orders, outcome = given.orders, kept.outcome
    hit = outcome["filled"] > 0
    code = np.array([_code(name) for name in kept.explained], np.uint16)
    where = np.flatnonzero(hit).astype(np.int32)
    return {
        "order": where,
        "filled": outcome["filled"][hit].astype(np.int32),
        "first": (outcome["first"] - orders["send"])[hit].astype(np.int64),
        "last": (outcome["last"] - outcome["first"])[hit].astype(np.int64),
        "price": (outcome["price"] - orders["price"])[hit].astype(np.int32),
        "explained": code,
        "stopped": np.flatnonzero(kept.stopped).astype(np.int32),
        "schedule": np.array(kept.schedule),
    }


def read_kept(stem: str, model: str, power: float, given: Given | None = None) -> Kept:
    """What is kept of a recording under a model; outcomes where the orders are given.

    Raises: KeyError: nothing is kept of it. ValueError: the schedule is another one.
    """
    with np.load(KEPT) as file:
        prefix = f"{stem}/{model_text(model, power)}/"
        part = {name.removeprefix(prefix): file[name] for name in file.files if name.startswith(prefix)}
    if not part:
        raise KeyError(f"nothing is kept of {prefix}")
    schedule = str(part["schedule"])
    explained = [_name(int(code)) for code in part["explained"]]
    outcome = np.zeros(len(explained), OUTCOME)
    if given is not None:
        if schedule_hash(given) != schedule:
            raise ValueError(f"{prefix}: the schedule changed; run python -m benchmarks.fills --keep")
        at, orders = part["order"], given.orders
        outcome["filled"][at] = part["filled"]
        outcome["first"][at] = orders["send"][at] + part["first"]
        outcome["last"][at] = outcome["first"][at] + part["last"]
        outcome["price"][at] = orders["price"][at] + part["price"]
    stopped = np.zeros(len(explained), np.bool_)
    stopped[part["stopped"]] = True
    return Kept(schedule, outcome, stopped, explained)


def _code(name: str) -> int:
    if name in ("stops", "unexplained"):
        return _STOPS if name == "stops" else _UNEXPLAINED
    return sum(_BITS[part] for part in name.split(" + ")) if name else 0


def _name(code: int) -> str:
    if code in (_STOPS, _UNEXPLAINED):
        return "stops" if code == _STOPS else "unexplained"
    return " + ".join(name for name, bit in _BITS.items() if code & bit)
