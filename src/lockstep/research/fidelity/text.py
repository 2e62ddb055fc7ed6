"""The scores of a recording as tables: rows of cells for a terminal, and Markdown, which the guide consists of."""

import math
from typing import NamedTuple

from lockstep.research.fidelity.orders import DISTANCES, LEFT_OUT
from lockstep.research.fidelity.report import Fidelity
from lockstep.research.fidelity.score import Score


class Lines(NamedTuple):
    """A table: its title, its columns, and the cells of its rows."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


_SCORES = (
    "model", "precision", "recall", "specificity", "balanced", "balanced, contested", "time error, median", "90 %", "partials seen",
)  # fmt: skip


def tables(found: Fidelity) -> list[Lines]:
    """Which orders; every model; balanced accuracy by distance; what each was wrong about; calibration."""
    return [_orders(found), _models(found), _distances(found), _remains(found), _calibration(found)]


def markdown(found: Fidelity) -> str:
    """The same as the guide shows them."""
    return "\n\n".join(f"**{one.title}**\n\n{_rows(one)}" for one in tables(found))


def _rows(one: Lines) -> str:
    lines = [one.columns, tuple("---" for _ in one.columns), *one.rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _orders(found: Fidelity) -> Lines:
    scored = next(one.all for one in found.verdicts)
    rows = [
        ["followed", f"{found.followed:,}"],
        ["of these in the half that is scored", f"{scored.orders:,}"],
        ["there: filled in full; in part, then cancelled; cancelled untouched", _counts(scored)],
        ["not all orders ahead of it are told", f"{found.unknown_place:,}"],
        *([f"left out: {LEFT_OUT[why]}", f"{count:,}"] for why, count in found.left_out.items()),
    ]
    return Lines(f"{found.symbol}: orders", ("", "orders"), rows)


def _counts(scored: Score) -> str:
    return f"{scored.filled:,}; {scored.partial:,}; {scored.cancelled:,}"


def _models(found: Fidelity) -> Lines:
    rows = []
    for one in found.verdicts:
        name = f"power:{found.power:g}, fitted" if one.model.startswith("power, ") else one.model
        every = one.all
        asked = f"{name} ({every.orders:,} orders)" if every.orders != found.verdicts[0].all.orders else name
        rows.append(
            [
                asked, *map(_share, (every.precision, every.recall, every.specificity, every.balanced, one.contested.balanced)),
                _time(every.error_median), _time(every.error_p90), _share(every.partial_seen),
            ]
        )  # fmt: skip
    return Lines(f"{found.symbol}: models", _SCORES, rows)


def _distances(found: Fidelity) -> Lines:
    there = [one for one in DISTANCES if one in found.verdicts[0].by_distance]
    counts = [found.verdicts[0].by_distance[one] for one in there]
    rows = [["orders, of which filled", *(f"{one.orders:,}, {one.filled:,}" for one in counts)]]
    rows += [
        [one.model, *(_share(one.by_distance[at].balanced) if at in one.by_distance else "-" for at in there)]
        for one in found.verdicts
    ]
    return Lines(f"{found.symbol}: balanced accuracy by ticks from the best", ("model", *there), rows)


def _remains(found: Fidelity) -> Lines:
    columns = (
        "model", "fills that did not happen", "fills missed", "of these said within 1 s",
        "of all: exact is right", "exact is wrong", "not told to exact",
    )  # fmt: skip
    rows = [
        [name, *(f"{n:,}" for n in (one.said, one.missed, one.soon, one.exact_right, one.exact_wrong, one.untold))]
        for name, one in found.remains.items()
    ]
    return Lines(f"{found.symbol}: what the models are wrong about", columns, rows)


def _calibration(found: Fidelity) -> Lines:
    rows = [
        [_range(one.low, one.high), f"{one.orders:,}", _share(one.said), _share(one.filled)]
        for one in found.calibration
    ]
    rows.append(["mean distance", "", _share(found.calibration_error), ""])
    return Lines(f"{found.symbol}: calibration", ("models that say it fills", "orders", "said, mean", "filled"), rows)


def _range(low: float, high: float) -> str:
    if low < 0:
        return "none"
    if high == 1.0:
        return "all"
    return f"to {100 * min(high, 1.0):.0f} %" if high < 0.999 else "most"


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.2f} %"


def _time(seconds: float) -> str:
    if math.isnan(seconds):
        return "-"
    if seconds < 0.0005:
        return f"{1e6 * seconds:,.0f} us" if seconds else "0"
    return f"{1e3 * seconds:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
