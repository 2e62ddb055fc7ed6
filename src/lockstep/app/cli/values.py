"""What is typed after an option, checked and converted: numbers, moments, parameters. Exact, or a usage error."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from lockstep.model.errors import UsageError


def decimal_of(text: str, option: str) -> Decimal:
    """A number, exactly as typed. Raises: UsageError: no finite number."""
    try:
        value = Decimal(text.strip().replace("_", ""))
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise UsageError(f"{option} must be a number: was {text!r}", hint=f"for example {option} 10, or {option} 0.5")
    return value


def params_of(pairs: Sequence[str]) -> dict[str, str]:
    """name=value pairs. Raises: UsageError: no equals sign, no name, or a name twice."""
    params: dict[str, str] = {}
    for pair in pairs:
        name, found, value = pair.partition("=")
        name = name.strip()
        if not found or not name:
            raise UsageError(f"--param was {pair!r}, not name=value", hint="for example --param fast=12")
        if name in params:
            raise UsageError(f"--param {name} was given twice: {params[name]!r} and {value!r}", hint="give it once")
        params[name] = value.strip()
    return params
