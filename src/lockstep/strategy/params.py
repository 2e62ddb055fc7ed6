"""Typed parameters: a class attribute with an annotation and a default is a parameter."""

import inspect
import math
import operator
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_type_hints

import msgspec

from lockstep.model.errors import ParseError, StrategyError, did_you_mean
from lockstep.model.numbers import exact_decimal, number_text

_TYPES: dict[Any, str] = {int: "int", float: "float", bool: "bool", str: "str", Decimal: "Decimal"}
_NAMED: dict[str, Any] = {**{name: kind for kind, name in _TYPES.items()}, "decimal.Decimal": Decimal}
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


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
        if isinstance(converted, (float, Decimal)) and not math.isfinite(converted):
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
            if isinstance(value, str) and value.lower() in _YES | _NO:
                return value.lower() in _YES
            raise wrong
        if self.kind is str:
            if isinstance(value, str):
                return str(value)
            raise wrong
        try:
            if self.kind is int:
                if isinstance(value, bool):
                    raise wrong
                return int(value) if isinstance(value, str) else operator.index(value)
            return exact_decimal(number_text(value)) if self.kind is Decimal else float(number_text(value))
        except (TypeError, ValueError, ArithmeticError, ParseError):
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
    """Declare a parameter with limits: `fast: int = param(10, ge=1, le=500, doc="fast period")`.

    Raises: StrategyError: limits that no value can meet.
    """
    if ge is not None and le is not None and not ge <= le:
        raise StrategyError(f"no parameter can be at least {ge} and at most {le}")
    return _Declared(default, ge, le, choices, doc)


def collect_params(cls: type, base: type) -> dict[str, Param]:
    """The parameters of a strategy class and its parents up to `base`, in order of declaration.

    A subclass may give a new default with or without an annotation; limits stay unless it declares the parameter again.
    An annotation of another kind (a list, an optional) makes an ordinary attribute.
    Raises: StrategyError: a default that does not fit, param() without a fitting annotation, or a name of the API.
    """
    found: dict[str, Param] = {}
    for owner in reversed(cls.__mro__):
        if owner is base or not issubclass(owner, base):
            continue
        kinds = _annotated_kinds(owner)
        for name, value in owner.__dict__.items():
            if name.startswith("_"):
                continue
            if name in kinds:
                if name in base.__dict__:
                    raise StrategyError(
                        f"{cls.__name__}: parameter {name} would hide Strategy.{name}",
                        hint=f"call it {name}_ or {name}_1",
                    )
                found[name] = _with_default(cls, _declared(name, kinds[name], value))
            elif isinstance(value, _Declared):
                raise StrategyError(
                    f"{cls.__name__}: parameter {name} needs the annotation of a kind", hint=f"{name}: int = param(...)"
                )
            elif name in found:
                found[name] = _with_default(cls, msgspec.structs.replace(found[name], default=value))
    return found


def _annotated_kinds(owner: type) -> dict[str, Any]:
    """The names annotated with the type of a parameter and given a value, except settings of the class itself."""
    written = inspect.get_annotations(owner)
    try:
        hints = get_type_hints(owner)
    except Exception:  # noqa: BLE001 - evaluating an annotation runs the user's text: anything may come
        hints = {name: _NAMED.get(kind, kind) if isinstance(kind, str) else kind for name, kind in written.items()}
    settings = ("trades", "cooldown_bars", "wait_for_indicators")
    return {
        name: hints[name]
        for name in written
        if name in owner.__dict__ and name not in settings and any(hints[name] is kind for kind in _TYPES)
    }


def _declared(name: str, kind: Any, value: Any) -> Param:
    spec = value if isinstance(value, _Declared) else _Declared(value, None, None, (), "")
    if kind in (str, bool) and (spec.minimum is not None or spec.maximum is not None):
        raise StrategyError(f"parameter {name} is a {_TYPES[kind]}: ge= and le= are for numbers", hint="use choices=")
    return Param(
        name=name,
        kind=kind,
        default=spec.default,
        minimum=spec.minimum,
        maximum=spec.maximum,
        choices=spec.choices,
        doc=spec.doc,
    )


def _with_default(cls: type, entry: Param) -> Param:
    try:
        return msgspec.structs.replace(entry, default=entry.checked(entry.default))
    except StrategyError as e:
        raise StrategyError(f"{cls.__name__}: default of {e}", hint=e.hint) from None


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
