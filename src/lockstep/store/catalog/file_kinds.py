"""Which files hold bars, quotes or trades, and which of them a reading takes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lockstep.model.errors import DataError, UsageError
from lockstep.store.catalog.columns import kinds_by
from lockstep.store.catalog.lean_ticks import kind_of_zip
from lockstep.store.catalog.shapes import KINDS, kinds_of
from lockstep.store.catalog.sources import header_of, kind_of_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def kinds_in(path: Path, db: "DuckDBPyConnection") -> list[str]:
    """What a file could be read as: "bars" where nothing else is plain, so that reading says what is missing."""
    if kind_of_file(path) == ".zip":
        return [kind_of_zip(path)]
    return kinds_by(header_of(path, db)) or ["bars"]


def chosen_files(
    files: Sequence[Path], kind: str | None, db: "DuckDBPyConnection", *, strict: bool = False
) -> list[tuple[Path, str]]:
    """The files to read, each as what.

    Args:   kind: as in read_market_data; None: bars where there are any, else the one kind there is. strict: a table that
            could be two things is refused rather than read as bars.
    Raises: DataError: no file of that kind. UsageError: no such kind, or several and none was chosen.
    """
    wanted = None if kind is None else kinds_of(kind)
    if len(files) > 1:  # in a folder of Lean's, quote bars lie beside trade bars; alone, one is refused with its reason
        files = [path for path in files if not (path.name.endswith("_quote.zip") and kind_of_zip(path) == "bars")]
    found = [(path, kinds_in(path, db)) for path in files]
    for path, kinds in found:
        if strict and wanted is None and len(kinds) > 1:
            raise UsageError(
                f"{path.name}: ambiguous: its columns are those of {' and of '.join(kinds)}",
                hint=f"say which with --kind {' or --kind '.join(kinds)}",
            )
    there = sorted({one for _, kinds in found for one in (kinds if wanted else kinds[:1])})
    if wanted is None:
        wanted = ("bars",) if "bars" in there and not strict else tuple(there)
        if len(wanted) > 1 and not strict:
            choices = [name for name, means in KINDS.items() if set(means) <= set(there)]
            raise UsageError(
                f"{files[0].parent}: it holds {' and '.join(there)}, no bars",
                hint="say which with --kind " + " or --kind ".join(choices),
            )
    chosen = [(path, one) for path, kinds in found for one in wanted if one in kinds]
    if not chosen:
        raise DataError(f"{files[0].name}: no {' or '.join(wanted)} there", hint=f"it holds {' and '.join(there)}")
    return chosen
