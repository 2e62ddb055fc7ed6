"""How near a rebuilt queue comes to the true one: the number of orders at a level, and how much stands ahead of an order."""

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from lockstep.book.l2 import L2Book
from lockstep.book.rebuilt import RebuiltBook
from lockstep.model.enums import BookAction, EventKind
from lockstep.model.errors import DataError
from lockstep.model.instrument import Instrument
from lockstep.model.record import BOOK_ACTION, BOOK_FULL, Records
from lockstep.model.rows import EventRows
from lockstep.research.queues.best_only import known_levels
from lockstep.research.queues.shown import Ahead, Cancels, Count, Joined, Left, Level, Shown, Viewer
from lockstep.sim.queue import QueueModel, QueuePlace
from lockstep.store.catalog.readers import read_market_data

MODELS = ("rebuilt", "pessimistic", "even")
"""What is compared: the rebuilt queue; all cancels behind us; cancels spread evenly over the level (`power:1`)."""
EVERY, ONE_IN, LEVELS = 100, 8, 10
BANDS = {"at the best": (0, 0), "1 to 3 levels behind it": (1, 3), "4 levels and more": (4, 10**9)}


class CountScore(NamedTuple):
    """Of the number of orders at levels: asked, how many there were on average, the mean error and its mean size, and the share of
    levels counted right.
    """

    asked: int
    orders: float
    error: float
    bias: float
    exact: float


class AheadScore(NamedTuple):
    """Of what stands ahead: asked; by model, the mean size of the error and the mean error as parts of the level, and the share told right
    to the unit.
    """

    asked: int
    error: dict[str, float]
    bias: dict[str, float]
    exact: dict[str, float]


class QueueScore(NamedTuple):
    """One recording. counts, ahead: by a name of the part. cancels: what truly left without a trade."""

    symbol: str
    rows: int
    taken_out: int
    cancels: Cancels
    counts: dict[str, CountScore]
    ahead: dict[str, AheadScore]


class _Baselines:
    """The places of our orders by the models without orders."""

    def __init__(self) -> None:
        self.models = {"pessimistic": QueueModel("pessimistic", 1.0, 1, 1.0), "even": QueueModel("power", 1.0, 1, 1.0)}
        self.at: dict[Level, dict[int, dict[str, QueuePlace]]] = {}
        self.level_of: dict[int, Level] = {}

    def join(self, number: int, level: Level, shown: int, since: int) -> None:
        places = {name: model.join(shown, since) for name, model in self.models.items()}
        self.at.setdefault(level, {})[number] = places
        self.level_of[number] = level

    def told(self, level: Level, before: int, after: int, ts: int) -> None:
        for places in self.at.get(level, {}).values():
            for name, model in self.models.items():
                model.told(places[name], before, after, ts)

    def traded(self, level: Level, qty: int, ts: int) -> None:
        for places in self.at.get(level, {}).values():
            for name, model in self.models.items():
                model.trade(places[name], qty, qty, ts)

    def ahead(self, number: int, ts: int) -> dict[str, float]:
        places = self.at[self.level_of[number]][number]
        for name, model in self.models.items():
            if ts > places[name].told_ts:
                model.settle(places[name])
        return {name: max(0.0, place.ahead) for name, place in places.items()}

    def leave(self, number: int) -> None:
        del self.at[self.level_of[number]][number]


def score_file(
    path: Path,
    *,
    every: int = EVERY,
    one_in: int = ONE_IN,
    levels: int = LEVELS,
    best_only: bool = False,
    oldest: bool = False,
) -> QueueScore:
    """Score one recording of single orders. best_only: it tells the best level alone. oldest: as of
    `RebuiltBook`. Raises: DataError: it tells no orders.
    """
    for data in read_market_data(path, kind="depth"):
        if data.info.kind == "book":
            records = _all(data.chunks())
            if not any((records["flags"] & BOOK_ACTION) == BookAction.ADD):
                raise DataError(f"{path}: told by levels, and a score needs every order", hint="use order-level data")
            if best_only:
                records, levels = known_levels(records), 1
            shown = Viewer(data.instrument, every, one_in, levels).see(records)
            if not shown.questions:
                raise DataError(
                    f"{path}: nothing to compare in {len(records):,} changes: too few, or all of an auction",
                    hint=f"compare more often than every {every}",
                )
            return score(data.instrument, shown, oldest=oldest)
    raise DataError(f"{path}: no changes of a book in it", hint="lockstep data show --kind depth says what is")


def _all(chunks: Iterable[Records]) -> Records:
    import numpy as np

    return np.concatenate(list(chunks))


def score(instrument: Instrument, shown: Shown, *, oldest: bool = False) -> QueueScore:
    """Rebuild what was shown, and compare at every question."""
    counts: list[tuple[Count, int]] = []
    found: list[tuple[Ahead, dict[str, float]]] = []
    book, others = RebuiltBook(instrument, L2Book(instrument), oldest=oldest), _Baselines()
    marks: dict[int, tuple[int, Level]] = {}
    feed = _Feed(book, others, shown.records)
    for question in shown.questions:
        feed.run_to(question.row)
        if isinstance(question, Left):
            others.leave(question.number)
            continue
        book.come_to(question.ts)
        if isinstance(question, Joined):
            marks[question.number] = (book.next_id, question.level)
            others.join(question.number, question.level, feed.qty.get(question.level, 0), book.levels.ts)
        elif isinstance(question, Count):
            counts.append((question, book.orders_at(*question.level)))
        else:
            mark, (side, price) = marks[question.number]
            guesses = others.ahead(question.number, question.ts)
            guesses["rebuilt"] = float(book.ahead(side, price // book.levels.tick, mark))
            found.append((question, guesses))
    return QueueScore(
        instrument.symbol, len(shown.records), shown.taken_out, shown.cancels, _counted(counts), _placed(found)
    )


class _Feed:
    """Gives records to the models, up to a row."""

    def __init__(self, book: RebuiltBook, others: _Baselines, records: Records) -> None:
        self.book, self.others, self.at = book, others, 0
        self.rows = EventRows()
        self.rows.hold(records)
        self.columns = [records[name].tolist() for name in ("ts_event", "kind", "flags", "aux", "p0", "p1")]
        self.qty: dict[Level, int] = {}

    def run_to(self, row: int) -> None:
        """Every record before a row."""
        self.book.apply(self.rows, self.at, row)
        for i in range(self.at, row):
            ts, kind, flags, aux, price, qty = (column[i] for column in self.columns)
            if kind == EventKind.TRADE:
                self.others.traded((2 - aux, price), qty, ts)
            elif flags & BOOK_ACTION == BookAction.SET:
                level = (aux - 2, price)
                if not flags & BOOK_FULL:
                    self.others.told(level, self.qty.get(level, 0), qty, ts)
                self.qty[level] = qty
        self.at = max(self.at, row)


def _counted(found: list[tuple[Count, int]]) -> dict[str, CountScore]:
    parts = {"all": found} | {name: _within(found, band) for name, band in BANDS.items()}
    return {name: _count_score([(q.orders, told) for q, told in part]) for name, part in parts.items() if part}


def _count_score(pairs: list[tuple[int, int]]) -> CountScore:
    errors = [told - true for true, told in pairs]
    return CountScore(
        len(pairs),
        fmean(true for true, _ in pairs),
        fmean(abs(error) for error in errors),
        fmean(errors),
        errors.count(0) / len(errors),
    )


def _placed(found: list[tuple[Ahead, dict[str, float]]]) -> dict[str, AheadScore]:
    fates: dict[str, Callable[[str], bool]] = {
        "while it rests": lambda fate: fate == "rests",
        "when it is cancelled": lambda fate: fate == "cancelled",
        "when it is executed": lambda fate: fate == "executed",
    }
    parts = {name: [entry for entry in found if of(entry[0].fate)] for name, of in fates.items()}
    parts |= {name: _within(parts["while it rests"], band) for name, band in BANDS.items()}
    return {name: _ahead_score(part) for name, part in parts.items() if part}


def _ahead_score(part: list[tuple[Ahead, dict[str, float]]]) -> AheadScore:
    by_model = {name: [(told[name] - q.ahead) / q.level_qty for q, told in part] for name in MODELS}
    return AheadScore(
        len(part),
        {name: fmean(abs(error) for error in errors) for name, errors in by_model.items()},
        {name: fmean(errors) for name, errors in by_model.items()},
        {name: sum(round(told[name]) == q.ahead for q, told in part) / len(part) for name in MODELS},
    )


def _within(found: list[Any], band: tuple[int, int]) -> list[Any]:
    return [entry for entry in found if band[0] <= entry[0].distance <= band[1]]


def as_json(scored: QueueScore) -> dict[str, Any]:
    """The score as plain data."""
    return {
        "symbol": scored.symbol,
        "rows": scored.rows,
        "taken_out": scored.taken_out,
        "cancels": scored.cancels._asdict(),
        "counts": {name: part._asdict() for name, part in scored.counts.items()},
        "ahead": {name: part._asdict() for name, part in scored.ahead.items()},
    }
