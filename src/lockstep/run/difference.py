"""In what two runs differ before they start, in words."""

import json
from collections.abc import Mapping
from typing import Any

from lockstep.store.catalog.times import time_text

_SHOWN_MAX = 60


def difference(saved: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first thing in which what was given to a run, as `Backtest.given` tells it, is not what is given to another."""
    said = _other_strategies(saved["strategies"], now["strategies"])
    said = said or _other_data(saved["data"], now["data"])
    said = said or _other_values("configuration", saved["config"], now["config"])
    for old, new in zip(saved["instruments"], now["instruments"], strict=False):
        said = said or _other_values(f"instrument {new.get('symbol', '')}", old, new)
    return said or "what was given to it differs"


def _other_strategies(saved: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    names = [[entry["class"] for entry in entries] for entries in (saved, now)]
    if names[0] != names[1]:
        return f"its strategy is {' + '.join(names[0])}, this one's {' + '.join(names[1])}"
    for old, new in zip(saved, now, strict=True):
        if old["source"] != new["source"]:
            return f"the source of {new['class']} has changed"
        said = _other_values(f"{new['class']}'s parameters:", old["params"], new["params"])
        said = said or _other_values(f"{new['class']}:", old, new)
        if said:
            return said
    return ""


def _other_data(saved: list[list[str]], now: list[list[str]]) -> str:
    names = [[f"{ident} ({kind}s)" for ident, kind, _ in entries] for entries in (saved, now)]
    if names[0] != names[1]:
        return f"its data are {', '.join(names[0])}; these are {', '.join(names[1])}"
    changed = [name for name, old, new in zip(names[1], saved, now, strict=True) if old != new]
    return f"the content of the data of {', '.join(changed)} has changed" if changed else ""


def _other_values(what: str, saved: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    for name in sorted({*saved, *now}):
        old, new = saved.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict) and old != new:
            return _other_values(f"{what} {name}", old, new)
        if old != new:
            return f"{what} {name} was {_brief(name, old)}, is {_brief(name, new)}"
    return ""


def _brief(name: str, value: Any) -> str:
    if name in ("start_ns", "end_ns") and isinstance(value, int):
        return time_text(value)
    text = json.dumps(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
