"""The rows: what is measured, against whom, and the entries each gives.

A row measures ours and every rival in turn, round after round, so that a noisy moment of the machine hits both,
and keeps the best of each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import footprint
from benchmarks.peers.environments import PeerEnvironment, Unavailable, ensure_environment
from benchmarks.peers.program import ProgramResult
from benchmarks.processes import Failed, run_program
from benchmarks.report import Entry

OURS = "benchmarks.ours"
ORDERS_BARS = 50_000  # one order on each; 1,000,000 USD pays the fees of so many
QUICK_BARS = 50_000
QUICK_ORDERS_BARS = 5_000
RUNS_PER_PROCESS = 2  # the second finds caches and allocators warm, in every system
FILES_2018 = tuple(f"bitfinex_{pair}_1m_2018.csv.gz" for pair in ("btcusd", "ethusd", "ltcusd", "xrpusd"))

Outcome = ProgramResult | Failed | Unavailable
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """How to run: the folder of `bars_1m`, rounds, fewer bars or all, and where progress goes."""

    bars_folder: Path
    repeat: int
    quick: bool
    say: Say
    environment_of: Callable[[str], PeerEnvironment | Unavailable] = field(default=ensure_environment)

    @property
    def bars_path(self) -> Path:
        """The file of both speed rows."""
        return self.bars_folder / FILES_2018[0]


def bars_ema_cross(setting: Setting) -> list[Entry]:
    """Bars a second through an EMA cross 10/30, with its trades, beside three rivals, and their memory."""
    peers = ("nautilus_trader", "backtesting.py", "backtrader")
    ours, rivals = _race(setting, "bars_ema_cross", peers, QUICK_BARS if setting.quick else None)
    speed = [
        _entry(
            "bars_ema_cross",
            "bars/s",
            peer,
            ours,
            rivals[peer],
            _speed,
            limit=800_000,
            ratio_limit=10 if peer == "nautilus_trader" else None,  # the fastest engine of this kind
        )
        for peer in peers
    ]
    memory = [_entry("bars_peak_mb", "MB", peer, ours, rivals[peer], _memory, higher=False) for peer in peers]
    return speed + memory


def orders_filled(setting: Setting) -> list[Entry]:
    """Orders a second, submitted and filled: a market order on every bar."""
    limit = QUICK_ORDERS_BARS if setting.quick else ORDERS_BARS
    ours, rivals = _race(setting, "orders_filled", ("nautilus_trader",), limit)
    return [
        _entry("orders_filled", "orders/s", peer, ours, outcome, _orders, limit=100_000, ratio_limit=10)
        for peer, outcome in rivals.items()
    ]


def memory_peak_mb(setting: Setting) -> list[Entry]:
    """Peak memory of one instrument and of the four of 2018 at once, and its growth for each further event."""
    limit = ["--limit", str(QUICK_BARS)] if setting.quick else []
    paths = [str(setting.bars_folder / name) for name in FILES_2018]
    one = run_program(Path(sys.executable), OURS, ["memory", paths[0], *limit])
    four = run_program(Path(sys.executable), OURS, ["memory", *paths, *limit])
    note = _note_of(one) or _note_of(four)
    entries = []
    for name, outcome in (("memory_peak_mb", one), ("memory_peak_four_mb", four)):
        value = outcome.peak_rss_mb if isinstance(outcome, ProgramResult) else None
        entries.append(Entry(name, value, "MB", higher_is_better=False, limit=200, note=_note_of(outcome)))
    growth = None
    if isinstance(one, ProgramResult) and isinstance(four, ProgramResult) and four.events > one.events:
        growth = bytes_per_event(one, four)
    entries.append(Entry("memory_bytes_per_event", growth, "bytes", higher_is_better=False, limit=16, note=note))
    return entries


def import_seconds(setting: Setting) -> list[Entry]:
    """Wall time of a fresh interpreter that imports lockstep, and of `lockstep --help`; best of 5 at least."""
    times = max(5, setting.repeat)
    entries = []
    for name, command in (("import_seconds", footprint.IMPORT), ("help_seconds", footprint.HELP)):
        seconds, note = footprint.best_wall_seconds(command, times)
        entries.append(Entry(name, seconds, "s", higher_is_better=False, limit=0.25, note=note))
    return entries


def install_size(setting: Setting) -> list[Entry]:
    """Packages and megabytes of a base install in a fresh virtual environment."""
    setting.say("install_size: building and installing into a fresh environment")
    size = footprint.base_install()
    note = size.note if isinstance(size, footprint.NotInstalled) else None
    packages = None if isinstance(size, footprint.NotInstalled) else float(size.packages)
    megabytes = None if isinstance(size, footprint.NotInstalled) else size.megabytes
    return [
        Entry("install_packages", packages, "packages", higher_is_better=False, limit=15, note=note),
        Entry("install_size_mb", megabytes, "MB", higher_is_better=False, limit=250, note=note),
    ]


ROWS: dict[str, Callable[[Setting], list[Entry]]] = {
    "bars_ema_cross": bars_ema_cross,
    "orders_filled": orders_filled,
    "memory_peak_mb": memory_peak_mb,
    "import_seconds": import_seconds,
    "install_size": install_size,
}


def bytes_per_event(one: ProgramResult, four: ProgramResult) -> float:
    """Growth of the peak from the smaller run to the larger, in bytes for each further event."""
    return (four.peak_rss_mb - one.peak_rss_mb) * 1e6 / (four.events - one.events)


def best_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """The fastest of several runs, with the least memory any of them needed; a failure only if all failed.

    Raises:  ValueError: no outcome at all.
    """
    results = [outcome for outcome in outcomes if isinstance(outcome, ProgramResult)]
    if results:
        peak = min(result.peak_rss_mb for result in results)
        return replace(min(results, key=lambda result: result.seconds), peak_rss_mb=peak)
    if not outcomes:
        raise ValueError("no run to choose from: repeat must be at least 1")
    return outcomes[-1]


def _race(setting: Setting, row: str, peers: Sequence[str], limit: int | None) -> tuple[Outcome, dict[str, Outcome]]:
    """Ours and every rival by turns, `repeat` rounds; the best of each. One that fails is not tried again."""
    runs = 1 if setting.quick else RUNS_PER_PROCESS
    arguments = [row, str(setting.bars_path), "--repeat", str(runs)]
    if limit is not None:
        arguments += ["--limit", str(limit)]
    environments: dict[str, PeerEnvironment | Unavailable] = {}
    for peer in peers:
        setting.say(f"{row}: environment of {peer}")
        environments[peer] = setting.environment_of(peer)
    done: dict[str, list[Outcome]] = {name: [] for name in ("ours", *peers)}
    for round_number in range(setting.repeat):
        for name, outcomes in done.items():
            if outcomes and not isinstance(outcomes[-1], ProgramResult):
                continue
            setting.say(f"{row}: round {round_number + 1} of {setting.repeat}, {name}")
            if name == "ours":
                outcomes.append(run_program(Path(sys.executable), OURS, arguments))
                continue
            environment = environments[name]
            if isinstance(environment, Unavailable):
                outcomes.append(environment)
            else:
                outcomes.append(run_program(environment.python, environment.module, arguments))
    return best_outcome(done["ours"]), {peer: best_outcome(done[peer]) for peer in peers}


def _speed(result: ProgramResult) -> float:
    return result.events_per_second


def _orders(result: ProgramResult) -> float:
    return result.fills / result.seconds


def _memory(result: ProgramResult) -> float:
    return result.peak_rss_mb


def _note_of(outcome: Outcome) -> str | None:
    return None if isinstance(outcome, ProgramResult) else outcome.note


def _entry(
    name: str,
    unit: str,
    peer: str,
    ours: Outcome,
    rival: Outcome,
    figure: Callable[[ProgramResult], float],
    *,
    higher: bool = True,
    limit: float | None = None,
    ratio_limit: float | None = None,
) -> Entry:
    notes = [note for note in (_note_of(ours), _note_of(rival)) if note]
    return Entry(
        name,
        figure(ours) if isinstance(ours, ProgramResult) else None,
        unit,
        higher_is_better=higher,
        peer=peer,
        peer_version=rival.version if isinstance(rival, ProgramResult) else None,
        peer_value=figure(rival) if isinstance(rival, ProgramResult) else None,
        limit=limit,
        ratio_limit=ratio_limit,
        note="; ".join(notes) or None,
    )
