"""A recording read back: what it is of, its decisions as arrays, and the run it was made of, ready to run again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep._version import __version__
from lockstep.engine.records import DECISION_SCHEMA_VERSION
from lockstep.model.errors import LockstepError, RefuseError, StateError, UsageError
from lockstep.model.timeframe import timeframe_text
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.data_source import DataSource
from lockstep.run.difference import difference
from lockstep.run.identity import HASH_SCHEMA_VERSION, canonical
from lockstep.run.journal_lines import JournalLines, Line
from lockstep.run.places import Place, read_places
from lockstep.run.plan import StrategyPlan
from lockstep.run.recording import BACKTEST, ENDED, FAILED
from lockstep.run.strategy_file import StrategyFile, load_strategy, strategy_from_source
from lockstep.store.catalog.funding import funding_from_rows
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.journal.layout import Record, RecordKind
from lockstep.store.journal.reader import Journal, Survey

_GIVEN = ("strategies", "config", "instruments", "data", "funding")
Reading = Callable[[str], None]
"""Told which source is being read."""


class Decisions(NamedTuple):
    """Some rows of the decision log in a journal. sequences: of their records, [n]; rows: int64 [n, 8]."""

    sequences: NDArray[np.int64]
    rows: NDArray[np.int64]


class DataGone(UsageError):
    """The data of a recording are not where they were: what only they could tell is not known."""


class Recorded:
    """The recording of a backtest in a folder, every checksum of it checked. Nothing here changes it.

    Raises: UsageError: no journal there, or one that is no recording of a backtest. DamagedJournal: altered.
            RefuseError: a newer version wrote it. StateError: cut off before it says what it is of.

    Attributes: identity: what it says it is of. ending: how the run ended, a RunEnded or RunFailed; None where the recording
    breaks off before it. survey: what was found in the journal.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder)
        self.survey: Survey = self.journal.survey()
        identity = self.journal.identity()
        if not self.survey.records:
            there = self.survey.torn.text() if self.survey.torn is not None else "no record is there"
            raise StateError(
                f"{folder}: not even which run it is of was written whole: {there}",
                hint="record the run again",
            )
        if not isinstance(identity, dict) or identity.get("kind") != BACKTEST:
            raise UsageError(
                f"{folder} is a journal, but not the recording of a backtest",
                hint="lockstep backtest ... --record FOLDER makes one; lockstep journal cat shows what this one is",
            )
        self.identity: dict[str, Any] = identity
        self.lines = JournalLines(identity)
        self.ending: dict[str, Any] | None = None
        self._refuse_other("decision_schema", DECISION_SCHEMA_VERSION)
        for record in self._facts(ENDED, FAILED):
            self.ending = record.fact()

    @property
    def broken_off(self) -> str:
        """In words where a crash or a cut took its end, whatever that was; empty where it is all there."""
        if self.ending is not None:
            return ""
        torn = f": {self.survey.torn.text()}" if self.survey.torn is not None else ""
        return f"the recording breaks off after record {self.survey.last_sequence:,}{torn}"

    def _facts(self, *types: str) -> Iterator[Record]:
        """The facts of these types; others are not even decoded."""
        names = [name.encode() for name in types]
        for block in self.journal.blocks():
            for record in block.facts():
                if any(name in record.payload for name in names) and record.fact()["type"] in types:
                    yield record

    def decisions(self) -> Iterator[Decisions]:
        """The decision log, a block of the journal at a time."""
        for block in self.journal.blocks():
            sequences, rows = block.decisions()
            if len(rows):
                yield Decisions(sequences, rows)

    def all_decisions(self) -> Decisions:
        """The whole of it: 72 bytes a record."""
        parts = list(self.decisions())
        if not parts:
            return Decisions(np.empty(0, np.int64), np.empty((0, 8), np.int64))
        return Decisions(np.concatenate([p.sequences for p in parts]), np.concatenate([p.rows for p in parts]))

    def signal_words(self, signal_id: int) -> str:
        """The reasoning of a signal; empty where it gave none."""
        for fact in (record.fact() for record in self._facts("Signal")):
            if fact["signal_id"] == signal_id:
                return str(fact["reasoning"])
        return ""

    @property
    def given(self) -> dict[str, Any]:
        """What was given to the run, as `Backtest.given` tells it."""
        return {name: self.identity[name] for name in _GIVEN}

    @property
    def symbols(self) -> list[str]:
        """The instruments' symbols, by index."""
        return [str(instrument["symbol"]) for instrument in self.identity["instruments"]]

    # ---- the run again

    def backtest(
        self,
        places: Sequence[str] = (),
        *,
        strategy: tuple[str, str | None] | None = None,
        reading: Reading | None = None,
    ) -> Backtest:
        """The run as it was: the strategies' own recorded source, their parameters, the configuration and the data.

        Args:   places: where the data are now, one for each source; by default where they were.
                strategy: a file, and the class in it where it has several, to run instead of the one it replaces.
        Raises: DataGone: the data are not there. StateError: they are not what was recorded, or another version of Lockstep
                recorded it. StrategyError: the strategy does not load.
        """
        self._refuse_other("hash_schema", HASH_SCHEMA_VERSION)
        latency = self.identity["config"]["latency"]
        if "recorded" in latency:  # the identity names the rows by their content; they stand beside it
            latency = latency | {"recorded": self.identity["delays"]}
        config = msgspec.convert(self.identity["config"] | {"latency": latency}, BacktestConfig)
        plans = self._plans(strategy)
        funding = {ident: funding_from_rows(rows) for ident, rows in self.identity["funding"]}
        backtest = Backtest(plans, self._data(config, places, reading), config, funding=funding)
        now = msgspec.json.decode(canonical(backtest.given()))
        if strategy is not None:
            now["strategies"] = self.identity["strategies"]
        if now != self.given:
            raise StateError(
                f"{self.folder}: this is not what was recorded: {difference(self.given, now)}",
                hint="a replay needs the very same data; --data PLACE says where they are",
            )
        return backtest

    def _refuse_other(self, name: str, ours: int) -> None:
        theirs = self.identity.get(name)
        if theirs != ours:
            raise RefuseError(
                f"{self.folder}: recorded with {name.replace('_', ' ')} {theirs}, Lockstep {__version__} has {ours}",
                hint="use the version that recorded it: lockstep journal cat --limit 1 names it",
            )

    def _plans(self, other: tuple[str, str | None] | None) -> list[StrategyPlan]:
        replaced = None if other is None else load_strategy(*other)
        index = None if replaced is None else self._replaced(replaced)
        plans = []
        for k, entry in enumerate(self.identity["strategies"]):
            instead = replaced if k == index else None
            params = entry["params"] if instead is None else self.identity["said_params"][k]
            length = entry["timeframe_ns"]
            plans.append(
                StrategyPlan(
                    instead or strategy_from_source(entry["source"], self.strategy_path(k), entry["class"]),
                    params,
                    symbols=entry["symbols"],
                    timeframe=None if length is None else timeframe_text(length),
                    name=entry["name"],
                )
            )
        return plans

    def _replaced(self, strategy: StrategyFile) -> int:
        """Which of the recorded strategies a file stands for: the only one, or the one of its class."""
        classes = [entry["class"] for entry in self.identity["strategies"]]
        if len(classes) == 1:
            return 0
        if classes.count(strategy.name) != 1:
            raise UsageError(
                f"{strategy.file_name} holds {strategy.name}, and the recording has {', '.join(classes)}",
                hint="give the class the name of the one it is to replace",
            )
        return classes.index(strategy.name)

    def strategy_path(self, index: int) -> Path:
        """Where a strategy's file lay; its class as a file's name where that is not known."""
        place = self._place("strategies", index)
        if place is None:
            return Path(f"{self.identity['strategies'][index]['class']}.py")
        return place.found(self.folder) or Path(place.said)

    def changed_files(self) -> list[Path]:
        """Strategy files that no longer say what was recorded. A replay runs what was recorded."""
        paths = [self.strategy_path(index) for index in range(len(self.identity["strategies"]))]
        return [
            path
            for path, entry in zip(paths, self.identity["strategies"], strict=True)
            if path.is_file()
            and path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n") != entry["source"]
        ]

    def _data(self, config: BacktestConfig, places: Sequence[str], reading: Reading | None) -> list[MarketData]:
        sources = self.identity["reading"] or [{} for _ in places]
        if places and len(places) != len(sources):
            raise UsageError(
                f"{self.folder} was recorded from {len(sources)} sources of data, --data was given {len(places)} times",
                hint="give it once for each, in their order",
            )
        wanted = {(ident, kind) for ident, kind, _ in self.identity["data"]}
        found: list[MarketData] = []
        others: list[str] = []
        for index, how in enumerate(sources):
            where = places[index] if places else self._where(index)
            if reading is not None:
                reading(where)
            try:
                entries = msgspec.convert({"where": where, **how}, DataSource).read(config.fees)
            except LockstepError as e:
                if places or Path(where).exists():
                    raise
                raise self._gone(where, str(e)) from e
            found += [entry for entry in entries if (entry.instrument.id, entry.info.kind) in wanted]
            others += [f"{entry.instrument.id} ({entry.info.kind}s)" for entry in entries]
        if not found and not others:
            raise self._gone("", "")
        if not found:
            asked = ", ".join(sorted(f"{ident} ({kind}s)" for ident, kind in wanted))
            raise StateError(
                f"{self.folder}: recorded on {asked}; these data are {', '.join(others)}",
                hint="a replay needs the very same data; a file without symbols in it is called by its name",
            )
        return found

    def _where(self, index: int) -> str:
        place = self._place("data", index)
        if place is None:
            raise self._gone("", "")
        path = place.found(self.folder)
        if path is None and place.path is not None:
            raise self._gone(place.said, "")
        return place.said if path is None else str(path)

    def _place(self, what: str, index: int) -> Place | None:
        known: tuple[Place, ...] = getattr(read_places(self.folder), what)
        return known[index] if index < len(known) else None

    def _gone(self, where: str, why: str) -> DataGone:
        ids = ", ".join(dict.fromkeys(ident for ident, _, _ in self.identity["data"]))
        lay = f", which were read from {where}, are not there" if where else " are not found"
        return DataGone(
            f"{self.folder}: the data of {ids}{lay}{f' ({why})' if why else ''}",
            hint="say where they are: --data PLACE",
        )


def line_of(lines: JournalLines, sequence: int, row: NDArray[np.int64]) -> Line:
    """A row of the decision log under names."""
    return lines.line(Record(sequence, int(row[0]), int(row[1]), int(RecordKind.DECISION), row.astype("<i8").tobytes()))


def shown(line: Mapping[str, Any]) -> str:
    """Such a line for people: time, type, then what is not empty."""
    rest = " ".join(
        f"{name}={value}"
        for name, value in line.items()
        if name not in ("sequence", "ts", "type") and value not in (None, [])
    )
    return f"{line['ts']} {line['type']} {rest}"
