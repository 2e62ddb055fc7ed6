"""A recording from its files to its scores: what `lockstep research fidelity` prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.research.fidelity.orders import DISTANCES, FILLED, half_of, sort_out
from lockstep.research.fidelity.score import (
    Bin,
    Facts,
    Remains,
    Score,
    calibration,
    calibration_error,
    facts_of,
    remains,
    score,
)
from lockstep.research.fidelity.study import NEVER, ORDERS, REBUILDS, TOUCH, Courses, Outcome, Rival, follow_all, queue
from lockstep.research.fidelity.tape import Tape, tape_of
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data

POWERS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
FITTED = "power, fitted"
EXACT = "exact"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One model on the half that nothing was fitted to: everywhere; where it was contested, that is where something traded at the order's
    price or beyond while it rested; and by the distance from the best at which orders came.
    """

    model: str
    all: Score
    contested: Score
    by_distance: dict[str, Score]


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """One recording. followed: orders, of both halves; left_out: by reason. power: n that fits the first half best, and its balanced
    accuracy there. unknown_place: of the followed, those of which not all orders ahead are told, which `exact` is not asked about.
    remains: what the models are wrong about.
    """

    symbol: str
    followed: int
    left_out: dict[str, int]
    unknown_place: int
    power: float
    power_fit: float
    verdicts: list[Verdict]
    calibration: list[Bin]
    calibration_error: float
    remains: dict[str, Remains]


class Followed(NamedTuple):
    """The orders of a recording with what became of them, and which half they are in (True: scored)."""

    tape: Tape
    facts: Facts
    scored: NDArray[np.bool_]
    orders: list[Any]
    courses: list[Any]
    left_out: dict[str, int]


def rivals() -> list[Rival]:
    """Who is compared: one line for each. `fitted` adds the power model."""
    return [
        Rival(NEVER, None),
        Rival(TOUCH, None),
        Rival("pessimistic", queue("pessimistic")),
        *(Rival(f"power:{power:g}", queue("power", power)) for power in (1.0, 2.0, 3.0)),
        Rival("log", queue("log")),
        Rival("rebuilt", queue("rebuilt"), REBUILDS),
        Rival(EXACT, queue("exact"), ORDERS),
    ]


def read_tapes(where: Path | str) -> list[Tape]:
    """The recordings of single orders in a file or folder. Raises: DataError: none tells single orders and trades."""
    by_instrument: dict[str, dict[str, MarketData]] = {}
    for data in read_market_data(where, kind="depth"):
        by_instrument.setdefault(data.instrument.id, {})[data.info.kind] = data
    tapes = []
    for found in by_instrument.values():
        if {"book", "trade"} <= found.keys():
            books, trades = (np.concatenate(list(found[kind].chunks())) for kind in ("book", "trade"))
            quotes = np.concatenate(list(found["quote"].chunks())) if "quote" in found else None
            tapes.append(tape_of(found["book"].instrument, books, trades, quotes))
    if not any(tape.orders for tape in tapes):
        raise DataError(
            f"{where}: no recording of single orders with trades",
            hint="fills are checked against orders: Databento mbo, LOBSTER messages, Bitstamp live orders",
        )
    return [tape for tape in tapes if tape.orders]


def followed(tape: Tape) -> Followed:
    """The orders to follow, their rows and their half."""
    chosen = sort_out(tape.orders)
    routes = Courses(tape)
    courses = [routes.of(order) for order in chosen.followed]
    scored = np.array([half_of(order.order_id) == 1 for order in chosen.followed], np.bool_)
    facts = facts_of(chosen.followed, [course.ended for course in courses])
    return Followed(tape, facts, scored, chosen.followed, courses, chosen.left_out)


def fidelity(tape: Tape, models: Sequence[Rival] | None = None) -> Fidelity:
    """Fit on one half of a recording's orders, by their ids, and score every model on the other. models: instead of `rivals()`."""
    on = followed(tape)
    if not (on.facts.fate[on.scored] == FILLED).any():
        raise DataError(
            f"{tape.instrument.id}: no order of the half to score was filled", hint="take a longer recording"
        )
    grid = {power: _outcome(on, Rival("", queue("power", power))) for power in POWERS}
    fits = {power: score(on.facts, outcome, ~on.scored).balanced for power, outcome in grid.items()}
    power = max(fits, key=lambda one: (fits[one], -one))
    found = {rival.name: _outcome(on, rival) for rival in (rivals() if models is None else models)}
    touched = _outcome(on, Rival(TOUCH, None)).filled > 0
    ensemble = [*grid.values(), *(found[name] for name in ("pessimistic", "log") if name in found)]
    exact = found.pop(EXACT, None)
    found[FITTED] = grid[power]
    if exact is not None:
        found[EXACT] = exact
    bins = calibration(on.facts, ensemble, on.scored)
    return Fidelity(
        symbol=tape.instrument.symbol,
        followed=len(on.orders),
        left_out={why: count for why, count in on.left_out.items() if count},
        unknown_place=sum(order.place is None for order in on.orders),
        power=power,
        power_fit=fits[power],
        verdicts=[_verdict(name, on, outcome, touched) for name, outcome in found.items()],
        calibration=bins,
        calibration_error=calibration_error(bins),
        remains={
            name: remains(on.facts, outcome, found[EXACT], on.scored)
            for name, outcome in found.items()
            if EXACT in found and name not in (NEVER, TOUCH)
        },
    )


def _outcome(on: Followed, rival: Rival) -> Outcome:
    return follow_all(on.tape, on.orders, on.courses, rival)


def _verdict(name: str, on: Followed, outcome: Outcome, touched: NDArray[np.bool_]) -> Verdict:
    by_distance = {one: score(on.facts, outcome, on.scored & (on.facts.distance == one)) for one in DISTANCES}
    return Verdict(
        model=name,
        all=score(on.facts, outcome, on.scored),
        contested=score(on.facts, outcome, on.scored & touched),
        by_distance={one: found for one, found in by_distance.items() if found.orders},
    )
