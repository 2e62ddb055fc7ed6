"""`places.json` beside a recording: where its data and strategy files lay. A hint for who replays it, never part of a hash."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lockstep.model.errors import StateError
from lockstep.run.backtest import Backtest
from lockstep.run.data_source import DataSource

PLACES = "places.json"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """said: as it was given. path: absolute, beside: from the folder of the recording; None where it went by a name.

    Whichever of the two is there is taken: a recording may move with its data, or without them.
    """

    said: str
    path: str | None = None
    beside: str | None = None

    def found(self, folder: Path) -> Path | None:
        """The file or folder, seen from the recording's folder; None where it is at neither place."""
        places = [folder / self.beside] if self.beside is not None else []
        places += [Path(self.path)] if self.path is not None else []
        found = next((place for place in places if place.exists()), None)
        plain = None if found is None else Path(os.path.normpath(found))
        return plain if plain is not None and plain.exists() else found  # .. behind a link stays as it is


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """data: of each source; strategies: the file of each."""

    data: tuple[Place, ...] = ()
    strategies: tuple[Place, ...] = ()


def places_of(folder: Path, backtest: Backtest, sources: Sequence[DataSource]) -> Places:
    """The places of a run that is kept in a folder."""
    return Places(
        data=tuple(_place(source.where, source.path(), folder) for source in sources),
        strategies=tuple(
            _place(plan.strategy.file_name, plan.strategy.path.absolute(), folder) for plan in backtest.plans
        ),
    )


def write_places(folder: Path, places: Places) -> None:
    """Write them beside a recording. Raises: OSError."""
    (folder / PLACES).write_bytes(msgspec.json.format(msgspec.json.encode(places)) + b"\n")


def read_places(folder: Path) -> Places:
    """What is known of the places; nothing where the file is missing. Raises: StateError: it is no such file."""
    try:
        return msgspec.json.decode((folder / PLACES).read_bytes(), type=Places)
    except FileNotFoundError:
        return Places()
    except msgspec.MsgspecError as e:
        raise StateError(
            f"{folder / PLACES}: not the places of a recording: {e}",
            hint="remove it, and say where the data are: --data",
        ) from e


def _place(said: str, path: Path | None, folder: Path) -> Place:
    if path is None:
        return Place(said=said)
    return Place(said=said, path=str(path), beside=_from(path, folder))


def _from(path: Path, folder: Path) -> str | None:
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # on another drive
        return None
