"""What becomes of a stored period when new rows come for it."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockstep.model.errors import DataError
from lockstep.store.catalog.shapes import Columns, Shape
from lockstep.store.catalog.times import time_text


class Joined(NamedTuple):
    """The rows a file is to hold, None where it holds them already; how many are new, were there, and were replaced."""

    columns: dict[str, NDArray[Any]] | None
    added: int
    same: int
    replaced: int


def joined(shape: Shape, stored: Columns, new: Columns, *, replace: bool, name: str) -> Joined:
    """Stored rows and new ones of the same period.

    Before the first stored row and after the last one new rows are added. In between, both must hold the same rows:
    one that differs, is missing or is more means that one of the two is wrong. With `replace` the new rows take the
    place of whatever lies from the first to the last of them.
    Raises: DataError: they differ; names the first such row.
    """
    old_keys, new_keys = stored[shape.key], new[shape.key]
    if replace:
        before, after = old_keys < new_keys[0], old_keys > new_keys[-1]
        parts = (_picked(stored, before), new, _picked(stored, after))
        gone = len(old_keys) - int(before.sum()) - int(after.sum())
        if gone == len(new_keys) and _difference(shape, _picked(stored, ~(before | after)), new) is None:
            return Joined(None, 0, gone, 0)
        return Joined(_concatenated(shape, parts), max(0, len(new_keys) - gone), 0, gone)
    low, high = max(old_keys[0], new_keys[0]), min(old_keys[-1], new_keys[-1])
    shared_old = _picked(stored, (old_keys >= low) & (old_keys <= high))
    shared_new = _picked(new, (new_keys >= low) & (new_keys <= high))
    at = _difference(shape, shared_old, shared_new)
    if at is not None:
        raise DataError(
            f"{name}: what is stored from {time_text(int(low))} to {time_text(int(high))} differs: "
            f"{_row_text(shape, shared_old, at, 'stored')}, {_row_text(shape, shared_new, at, 'new')}",
            hint="--replace puts the new rows in the place of the stored ones",
        )
    head, tail = new_keys < old_keys[0], new_keys > old_keys[-1]
    added = int(head.sum()) + int(tail.sum())
    same = len(new_keys) - added
    if not added:
        return Joined(None, 0, same, 0)
    return Joined(_concatenated(shape, (_picked(new, head), stored, _picked(new, tail))), added, same, 0)


def _difference(shape: Shape, stored: Columns, new: Columns) -> int | None:
    """The first row at which the two differ."""
    rows = min(len(stored[shape.key]), len(new[shape.key]))
    differs = np.zeros(rows, bool)
    for name in shape.words:
        differs |= stored[name][:rows] != new[name][:rows]
    if differs.any():
        return int(np.argmax(differs))
    return None if len(stored[shape.key]) == len(new[shape.key]) else rows


def _row_text(shape: Shape, columns: Columns, at: int, whose: str) -> str:
    if at >= len(columns[shape.key]):
        return f"{whose} no further row"
    values = ", ".join(f"{name} {columns[name][at]}" for name in shape.words if not name.startswith("ts_"))
    return f"{whose} {time_text(int(columns[shape.key][at]))} ({values}, in units)"


def _picked(columns: Columns, mask: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: values[mask] for name, values in columns.items()}


def _concatenated(shape: Shape, parts: tuple[Columns, ...]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in shape.words}
