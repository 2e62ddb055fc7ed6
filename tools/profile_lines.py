"""The costliest lines of an uncompiled run: a program of its own for `profile_run.py`, under LOCKSTEP_PURE=1.

    LOCKSTEP_PURE=1 python tools/profile_lines.py ROW PATH EVENTS

Compiled code gives no lines away, so the same sources run uncompiled. What Python makes slow is not what C makes slow
(a division, an int), so a line's share says where to look, and `native` whether it matters.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import ours  # noqa: E402 - the repository root is no installed package

from lockstep.run.backtest import Backtest  # noqa: E402
from lockstep.run.strategy_file import load_strategy  # noqa: E402

ROOMS = ("engine", "features", "model.events", "orders", "portfolio", "risk", "run.loop", "run.source", "sim")
TOP = 24


def main(row: str, path: Path, events: int) -> int:
    """Run the first events of a row and print the lines that took most. Returns 1 without line_profiler."""
    try:
        from line_profiler import LineProfiler
    except ImportError:
        print("line_profiler is not here: pip install line_profiler")
        return 1
    data, config = ours.prepare(row, [path], events)
    strategy = load_strategy(ours.ROWS[row])
    profiler: Any = LineProfiler()
    for function in (*_hot_functions(), *_functions_of(strategy.cls)):
        profiler.add_function(function)
    profiler.enable_by_count()
    Backtest(strategy, data, config).run()
    profiler.disable_by_count()
    _print_lines(profiler.get_stats(), events)
    return 0


def _hot_functions() -> Iterator[FunctionType]:
    prefixes = tuple(f"lockstep.{room}" for room in ROOMS)
    for name, module in list(sys.modules.items()):
        if name.startswith(prefixes):
            for member in vars(module).values():
                if _is_of(member, module):
                    yield from _functions_of(member)


def _is_of(member: object, module: ModuleType) -> bool:
    return getattr(member, "__module__", None) == module.__name__


def _functions_of(member: object) -> Iterator[FunctionType]:
    if inspect.isfunction(member):
        yield member
    elif inspect.isclass(member):
        yield from (value for value in vars(member).values() if inspect.isfunction(value))


def _print_lines(stats: Any, events: int) -> None:
    lines = [
        (time * stats.unit, hits, file, number)
        for (file, _, _), timings in stats.timings.items()
        for number, hits, time in timings
    ]
    total = sum(seconds for seconds, *_ in lines)
    print(f"{events:,} events uncompiled; a line's time includes what it calls")
    for seconds, hits, file, number in sorted(lines, reverse=True)[:TOP]:
        text = Path(file).read_text(encoding="utf-8").splitlines()[number - 1].strip()
        name = "/".join(Path(file).parts[-2:])
        print(f"{seconds / total:6.1%} {hits:9,} x  {name}:{number}  {text[:90]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
