"""The rooms of the package, bottom up. The import contract in pyproject.toml states the same; a test compares the two."""

LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(layer.split())
    for layer in (
        "model",
        "book",
        "features orders portfolio",
        "strategy risk sim",
        "engine store",
        "venues",
        "analytics feed",
        "run",
        "research",
        "app",
    )
)

# Pure and deterministic: no I/O, no clock, no chance, no concurrency, no logging, no globals.
CORE_ROOMS = frozenset("model book features strategy risk orders portfolio sim engine".split())


def room_of(path: str) -> str | None:
    """The room a file lies in; None outside the package and for files at its root.

    Args:
        path: relative to the repository, as in `src/lockstep/model/events.py`.
    """
    parts = path.split("/")
    return parts[2] if parts[:2] == ["src", "lockstep"] and len(parts) > 3 else None


def rooms_below(room: str) -> frozenset[str]:
    """The rooms that a room may import from: every layer under its own. `sim` may not import `orders` though it lies below."""
    below: set[str] = set()
    for layer in LAYERS:
        if room in layer:
            break
        below |= layer
    return frozenset(below - ({"orders"} if room == "sim" else set()))
