"""Reading saved state back: every field is checked before what it belongs to is touched.

A saved state is plain JSON: text, whole numbers, finite floats, lists and None. Python writes a float by its
shortest exact text, so a trip through JSON keeps every bit.
"""

from collections.abc import Mapping
from typing import Any

from lockstep.model.arguments import finite, whole


def field(state: Mapping[str, Any], key: str) -> Any:
    if key not in state:
        raise ValueError(f"saved state lacks {key!r}; it has {sorted(state)}")
    return state[key]


def float_field(state: Mapping[str, Any], key: str) -> float:
    return finite(f"saved {key!r}", field(state, key))


def int_field(state: Mapping[str, Any], key: str, low: int, high: int) -> int:
    return whole(f"saved {key!r}", field(state, key), low, high)


def list_field(state: Mapping[str, Any], key: str, size: int) -> list[Any]:
    values = field(state, key)
    if not isinstance(values, list) or len(values) != size:
        got = f"{len(values)} values" if isinstance(values, list) else type(values).__name__
        raise ValueError(f"saved {key!r} must be a list of {size}, was {got}")
    return values


def floats_field(state: Mapping[str, Any], key: str, size: int) -> list[float]:
    return [finite(f"saved {key!r}[{i}]", value) for i, value in enumerate(list_field(state, key, size))]
