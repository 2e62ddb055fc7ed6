"""Typed parameters: a class attribute with an annotation and a default is a parameter."""

import math
from collections.abc import Mapping
from decimal import Decimal
from inspect import get_annotations
from typing import Any, get_type_hints

import msgspec

from lockstep.model.errors import StrategyError, did_you_mean

_TYPES: dict[type, str] = {int: "int", float: "float", bool: "bool", str: "str", Decimal: "Decimal"}


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a strategy class. minimum and maximum are inclusive; choices is empty for any value."""

    name: str
    kind: Any
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    doc: str = ""

    @property
    def type_name(self) -> str:
        """The type as users write it."""
        return _TYPES[self.kind]

    def checked(self, value: Any) -> Any:
        """A value from Python or from a command line's text, as this parameter's type.

        Raises: StrategyError: not of the type, outside the limits or not a choice.
        """
        converted = self._convert(value)
        if isinstance(converted, float) and not math.isfinite(converted):
            raise StrategyError(f"parameter {self.name} must be finite: was {value!r}")
        if self.minimum is not None and converted < self.minimum:
            raise StrategyError(f"parameter {self.name} was {converted}, minimum {self.minimum:g}")
        if self.maximum is not None and converted > self.maximum:
            raise StrategyError(f"parameter {self.name} was {converted}, maximum {self.maximum:g}")
        if self.choices and converted not in self.choices:
            raise StrategyError(
                f"parameter {self.name} was {converted!r}, not one of {', '.join(map(repr, self.choices))}",
                hint=did_you_mean(str(converted), [str(choice) for choice in self.choices]),
            )
        return converted

    def _convert(self, value: Any) -> Any:
        wrong = StrategyError(
            f"parameter {self.name} must be {self.type_name}: was {value!r}", hint=f"the default is {self.default!r}"
        )
        if self.kind is bool:
            if isinstance(value, bool):
                return value
            known = {
                "true": True,
                "yes": True,
                "on": True,
                "1": True,
                "false": False,
                "no": False,
                "off": False,
                "0": False,
            }
            if isinstance(value, str) and value.lower() in known:
                return known[value.lower()]
            raise wrong
        if self.kind is str:
            if isinstance(value, str):
                return value
            raise wrong
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise wrong
        if self.kind is int and not isinstance(value, (int, str)):
            raise wrong
        try:
            return self.kind(str(value) if self.kind is Decimal else value)
        except (ValueError, ArithmeticError):
            raise wrong from None


class _Declared(msgspec.Struct, frozen=True):
    default: Any
    minimum: float | None
    maximum: float | None
    choices: tuple[Any, ...]
    doc: str


def param(
    default: Any, *, ge: float | None = None, le: float | None = None, choices: tuple[Any, ...] = (), doc: str = ""
) -> Any:
    """Declare a parameter with limits: `fast: int = param(10, ge=1, le=500, doc="fast period")`."""
    return _Declared(default, ge, le, choices, doc)


def collect_params(cls: type, base: type) -> dict[str, Param]:
    """The parameters of a strategy class and its parents up to `base`, in order of declaration.

    Raises: StrategyError: a default that does not fit its annotation, or an annotation of an unknown kind with a default.
    """
    found: dict[str, Param] = {}
    for owner in reversed(cls.__mro__):
        if not issubclass(owner, base) or owner is base:
            continue
        hints = get_type_hints(owner)
        for name in get_annotations(owner):
            if name.startswith("_") or name not in owner.__dict__ or name in base.__dict__:
                continue
            kind = hints[name]
            if kind not in _TYPES:
                continue  # an ordinary typed attribute
            value = owner.__dict__[name]
            spec = value if isinstance(value, _Declared) else _Declared(value, None, None, (), "")
            entry = Param(
                name=name,
                kind=kind,
                default=spec.default,
                minimum=spec.minimum,
                maximum=spec.maximum,
                choices=spec.choices,
                doc=spec.doc,
            )
            try:
                found[name] = msgspec.structs.replace(entry, default=entry.checked(spec.default))
            except StrategyError as e:
                raise StrategyError(f"{cls.__name__}: default of {e}") from None
    return found


def check_params(cls_name: str, params: Mapping[str, Param], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter's value: what was given, checked, and defaults for the rest.

    Raises: StrategyError: a name the strategy does not have, or a value that does not fit.
    """
    for name in given:
        if name not in params:
            raise StrategyError(
                f"{cls_name} has no parameter {name!r}",
                hint=did_you_mean(name, params) if params else "it takes no parameters",
            )
    return {name: entry.checked(given[name]) if name in given else entry.default for name, entry in params.items()}
