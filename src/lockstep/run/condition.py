"""A breakpoint's condition: one Python expression over where a run stands, such as `equity < 90_000 and s.fast.value > 0`.

Its author writes it on his own machine, so this is no sandbox; but it must not change the run by accident. So it reads:
names of a short list, attributes that do not begin with _, arithmetic and comparisons; of calls, that list's functions alone
(`s.buy(1)` is refused). What is wrong with it is said before the run begins.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.run.standing import Standing

_VALUES = ("clock", "time", "equity", "cash", "open_orders", "orders", "fills", "signals", "bars", "events")
_CALLS: dict[str, Callable[..., Any]] = {"abs": abs, "len": len, "max": max, "min": min, "round": round}
_ASKS = ("position", "last_price", "strategy")
NAMES = (*_VALUES, *_ASKS, *_CALLS, "s")
"""Every name a condition may use; `s` is the run's only strategy."""
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Attribute, ast.Subscript,
    ast.Slice, ast.Constant, ast.List, ast.Tuple, ast.boolop, ast.unaryop, ast.operator, ast.cmpop, ast.expr_context,
)  # fmt: skip
_UNMET = (LookupError, ZeroDivisionError)
"""What a list that is still empty or a count that is still 0 raises: the condition is not met yet."""


class Condition:
    """An expression, checked as far as its text allows; `met` says whether it holds.

    Raises: UsageError: no expression, a name it may not use, or a call that could change something.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        try:
            tree = ast.parse(self.text, mode="eval")
            self._code = compile(tree, "<condition>", "eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            words = e.msg if isinstance(e, SyntaxError) else str(e)
            raise self._wrong(f"is no Python expression: {words}", 'for example "equity < 90000"') from None
        for node in ast.walk(tree):
            self._check(node)

    def _check(self, node: ast.AST) -> None:
        if not isinstance(node, _ALLOWED):
            raise self._wrong(f"has {_said(node)}, which a condition may not", "compare values, with and, or, not")
        if isinstance(node, ast.Name) and node.id not in NAMES:
            raise self._wrong(f"names {node.id!r}, which is not known", did_you_mean(node.id, NAMES))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise self._wrong(f"reads {node.attr!r}, which begins with _", "name a public attribute")
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in (*_CALLS, *_ASKS)):
            raise self._wrong(
                f"calls {ast.unparse(node.func)}",
                f"it may call {', '.join((*_ASKS, *_CALLS))}, and nothing of a strategy",
            )

    def met(self, standing: Standing) -> bool:
        """Whether it holds now; not while it reads an attribute of a strategy that is None, or a list still too short.

        Raises: UsageError: it cannot be worked out.
        """
        names = _Names(standing)
        try:
            # tidy: allow danger - the author of the strategy wrote it, and nothing but what _check lets pass gets here
            return bool(eval(self._code, {"__builtins__": {}}, names))  # noqa: S307
        except _UNMET:
            return False
        except UsageError as e:
            raise self._wrong(f"cannot be worked out: {e}", e.hint) from e
        except Exception as e:
            if names.read_none:
                return False
            hint = ""
            if isinstance(e, AttributeError) and e.name and e.obj is not None:
                known = [name for name in dir(e.obj) if not name.startswith("_")]
                hint = did_you_mean(e.name, known) if _near(e.name, known) else "set it in on_start"
            raise self._wrong(f"cannot be worked out at {standing.time}: {e}", hint) from e

    def _wrong(self, words: str, hint: str) -> UsageError:
        return UsageError(f"the condition {self.text!r} {words}", hint=hint)


class _Names(Mapping[str, Any]):
    """The names of one evaluation, looked up when they are used. read_none: whether a strategy's attribute was None."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self.read_none = False

    def __getitem__(self, name: str) -> Any:
        if name == "s":
            return _Attributes(self._standing.strategy(), self)
        if name == "strategy":
            return lambda wanted: _Attributes(self._standing.strategy(wanted), self)
        return _CALLS[name] if name in _CALLS else getattr(self._standing, name)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


class _Attributes:
    """A strategy's attributes, to be read."""

    def __init__(self, strategy: Any, names: _Names) -> None:
        self._strategy = strategy
        self._names = names

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._strategy, name)
        if value is None:
            self._names.read_none = True
        return value


def _near(name: str, known: list[str]) -> bool:
    return did_you_mean(name, known).startswith("did you mean")


def _said(node: ast.AST) -> str:
    return {"NamedExpr": ":=", "Lambda": "a lambda", "ListComp": "a comprehension", "Await": "await"}.get(
        type(node).__name__, f"a {type(node).__name__}"
    )
