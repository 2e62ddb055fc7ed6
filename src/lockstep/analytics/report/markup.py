"""HTML that cannot be built unescaped: a plain `str` is escaped, only `Html` passes through.

Names of strategies, symbols and reasons come from users and venues, so each of them is treated as hostile text.
"""

import html
import json
from collections.abc import Iterable
from typing import Any

__all__ = ["EMPTY", "Html", "join", "plot_text", "raw", "script_json", "tag"]

VOID = frozenset({"br", "hr", "img", "input", "meta", "col", "link"})


class Html(str):
    """Text that is already safe to stand in a page. Only this module and the package's own files make it."""

    __slots__ = ()


EMPTY = Html("")


def raw(text: str) -> Html:
    """Mark text of our own (a style sheet, a script, an entity) as safe. Never call it on data."""
    return Html(text)


def _escaped(child: str | float) -> str:
    return child if isinstance(child, Html) else html.escape(str(child), quote=True)


def tag(name: str, *children: str | float, **attributes: str | float | bool | None) -> Html:
    """One element. `class_` and `for_` lose the underscore, `data_sort` becomes `data-sort`.

    An attribute that is None or False is left out; True stands alone. Children that are not `Html` are escaped.
    """
    parts: list[str] = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        parts.append(label if value is True else f'{label}="{html.escape(str(value), quote=True)}"')
    opening = f"<{' '.join(parts)}>"
    if name in VOID:
        return Html(opening)
    return Html(f"{opening}{''.join(_escaped(child) for child in children)}</{name}>")


def join(children: Iterable[str | float], between: str = "") -> Html:
    """The children one after the other, each escaped unless it is `Html`; `between` is our own text."""
    return Html(between.join(_escaped(child) for child in children))


def script_json(value: Any) -> Html:
    """JSON that can stand inside <script>: no `<`, `>`, `&` and no line separator can end or break the script.

    Raises: ValueError: a NaN or an infinity, which are not JSON; the caller maps them to None.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Html(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def plot_text(text: str) -> str:
    """A label for Plotly, which reads a little HTML in labels: escaped, so that it shows as it is written."""
    return html.escape(text, quote=False)
