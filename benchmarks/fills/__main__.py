"""Compare fills with hftbacktest, which is installed on demand in an environment of its own.

    python -m benchmarks.fills [--data FOLDER] [--only RECORDING] [--again] [--keep]

Runs the minimal cases and the recordings through both and prints a line for each. --again: after a change of ours, with what is kept of
hftbacktest. --keep writes what the tests compare with, and the
tables of docs/guides/hftbacktest.md.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.fills.cases import CASES, given_of, in_ms
from benchmarks.fills.kept import (
    KEPT,
    MODELS,
    RECORDINGS,
    Kept,
    columns_of,
    kept_version,
    model_text,
    read_kept,
    schedule_hash,
)
from benchmarks.fills.ours import our_fills
from benchmarks.fills.page import write_page
from benchmarks.fills.rules import explained
from benchmarks.fills.schedule import Given, given
from benchmarks.fills.theirs import Theirs, environment, their_fills
from benchmarks.peers.environments import PeerEnvironment
from benchmarks.race import recorded_data


def check_cases(where: PeerEnvironment) -> int:
    """Both sides of every case. Returns: how many are not as stated."""
    wrong = 0
    for case in CASES:
        told = given_of(case)
        together = [range(len(told.orders))]
        theirs = their_fills(told, case.model, 3.0, where, together)
        said = None if theirs.stopped.any() else tuple(in_ms(row) for row in theirs.outcome)
        ours = tuple(in_ms(row) for row in our_fills(told, case.model, 3.0, together))
        right = said == case.theirs and ours == case.ours
        wrong += not right
        print(f"case {case.name}: {'as stated' if right else f'NOT AS STATED: ours {ours}, theirs {said}'}", flush=True)
    return wrong


def compare(told: Given, stem: str, model: str, power: float, where: PeerEnvironment | None) -> Kept:
    """One recording under one model. where: None, with what is kept of it."""
    ours = our_fills(told, model, power)
    if where is None:
        kept = read_kept(stem, model, power, told)
        theirs = Theirs(kept.outcome, kept.stopped)
    else:
        theirs = their_fills(told, model, power, where)
    classes = explained(told, ours, theirs.outcome, theirs.stopped, model, power)
    names = [classes.get(number, "") for number in range(len(ours))]
    return Kept(schedule_hash(told), theirs.outcome, theirs.stopped, names)


def main() -> int:
    """Returns: 0; 1 where a case is not as stated, or more than 0.5 % of the orders differ for no known reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=recorded_data(), help="folder of the recorded data")
    parser.add_argument("--only", choices=RECORDINGS, help="one recording")
    parser.add_argument("--keep", action="store_true", help="write the kept outcomes and the page's tables")
    parser.add_argument("--again", action="store_true", help="with what is kept of hftbacktest, which is not run")
    chosen = parser.parse_args()
    where = None if chosen.again else environment()
    failed = where is not None and check_cases(where) > 0
    columns: dict[str, NDArray[np.generic]] = {"version": np.array(where.version if where else kept_version())}
    for stem in [chosen.only] if chosen.only else RECORDINGS:
        told = given(chosen.data / f"crypto_l2/binance_{stem}.raw.zst")
        for model, power in MODELS:
            kept = compare(told, stem, model, power, where)
            classes = Counter(name for name in kept.explained if name)
            text = ", ".join(f"{name} {count}" for name, count in classes.most_common())
            print(f"{stem} {model_text(model, power)}: {len(kept.explained)} orders, differing: {text}", flush=True)
            failed |= classes["unexplained"] > len(kept.explained) * 0.005
            prefix = f"{stem}/{model_text(model, power)}/"
            columns |= {prefix + name: column for name, column in columns_of(kept, told).items()}
    if chosen.keep and not chosen.only:
        np.savez_compressed(KEPT, **columns)  # type: ignore[arg-type]
        write_page()
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
