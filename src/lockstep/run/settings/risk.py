"""Limits as a settings file says them: parts of something, delays, tables by symbol and strategy; and the limits they make."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from lockstep.model.errors import did_you_mean
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.risk.limits import NO_LIMITS, SPAN_MAX_NS, STANDARD, RiskLimits, StrategyLimits, SymbolLimits
from lockstep.run.settings.kinds import Kind, Number, Whole, WrongValue, delay_ns, plain_decimal, read_value, shown

RISK_PRESETS = {"backtest": NO_LIMITS, "standard": STANDARD}
"""What holds where a key is left out."""
COUNT_MAX = 1_000_000
SELF_TRADES = ("allow", "refuse")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of something: 0.05, or the same as "5%". high: the largest."""

    high: int = 1

    @property
    def words(self) -> str:
        """The range."""
        return f'fraction from 0 to {self.high}, or percent such as "5%"'

    def read(self, value: Any) -> Decimal:
        """The fraction. Raises: WrongValue: no number, below 0, or in another unit."""
        percent = isinstance(value, str) and value.strip().endswith("%")
        number = plain_decimal(value.strip().removesuffix("%") if percent else value)
        part = number / 100 if percent else number
        if not 0 <= part <= self.high:
            hint = f'{number} percent is "{number}%"' if part > self.high and not percent else ""
            raise WrongValue(f"was {shown(value)}, must be a {self.words}", hint=hint)
        return part

    def json_schema(self) -> dict[str, Any]:
        """A number, or a text."""
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": self.high}, {"type": "string"}]}


class Span(msgspec.Struct, frozen=True):
    """A length of time, such as "60s"; ns when read."""

    words: str = "length of time such as 500ms, 60s or 2d"

    def read(self, value: Any) -> int:
        """Nanoseconds. Raises: WrongValue: no such thing, or without its unit."""
        try:
            ns = delay_ns(value)
        except WrongValue:
            raise WrongValue(f"was {shown(value)}, must be a {self.words}", hint='with its unit: "60s"') from None
        if ns > SPAN_MAX_NS:
            raise WrongValue(f"was {shown(value)}, must be at most {SPAN_MAX_NS // NANOS_PER_DAY}d")
        return ns

    def json_schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string"}


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Tables by name, each with some of the same keys: what one symbol or one strategy may do. upper: names are symbols."""

    words: str
    keys: dict[str, Kind]
    upper: bool = False

    def read(self, value: Any) -> dict[str, dict[str, Any]]:
        """The values of every table. Raises: WrongValue: no table, an unknown key, or a value that does not fit."""
        if not isinstance(value, Mapping):
            raise WrongValue(f"must be a table of tables: was {shown(value)}")
        found: dict[str, dict[str, Any]] = {}
        for name, table in value.items():
            if not isinstance(table, Mapping):
                raise WrongValue(
                    f"has no table for {name}: was {shown(table)}", hint=f"it holds {', '.join(self.keys)}"
                )
            known = name.upper() if self.upper else str(name)
            if known in found:
                raise WrongValue(f"has two tables for {known}", hint="capitals make no difference")
            read = found[known] = {}
            for key, said in table.items():
                if key not in self.keys:
                    raise WrongValue(f"has no key {name}.{key}", hint=did_you_mean(key, self.keys))
                try:
                    read[key] = read_value(self.keys[key], said)
                except WrongValue as e:
                    raise WrongValue(f"{name}.{key} {e}", hint=e.hint) from None
        return found

    def json_schema(self) -> dict[str, Any]:
        """A table of tables."""
        keys = {name: kind.json_schema() for name, kind in self.keys.items()}
        entry = {"type": "object", "properties": keys, "additionalProperties": False}
        return {"type": "object", "additionalProperties": entry}


_AMOUNT = Number(low=0)
_COUNT = Whole(low=0, high=COUNT_MAX)
SYMBOL_KEYS: dict[str, tuple[str, Kind, str]] = {
    "max_order_qty": ("order_qty_max", _AMOUNT, "Larger orders (base units)."),
    "max_order_notional": ("order_notional_max", _AMOUNT, "Orders worth more (currency)."),
    "max_order_fraction": ("order_fraction_max", Part(), "Orders worth more than this part of equity."),
    "max_position": ("position_max", _AMOUNT, "Orders that could lead to a larger position (base units)."),
    "max_position_notional": ("position_notional_max", _AMOUNT, "The same in currency."),
    "max_position_size": ("position_fraction_max", Part(high=1000), "The same as a part of equity."),
    "max_open_orders": ("open_orders_max", _COUNT, "More orders at work in the instrument."),
    "orders_per_second": ("orders_per_second", _COUNT, "More orders in any second, in the instrument."),
    "price_band": ("price_band", Part(), "Limit prices farther from the last price (of quotes, the mid)."),
    "max_price_age": ("price_age_max_ns", Span(), "Orders while the last price is older."),
    "duplicate_window": ("duplicate_ns", Span(), "The same order of a strategy again so soon."),
}  # fmt: skip
"""Key: the field of SymbolLimits, its kind, and what is refused."""
STRATEGY_KEYS: dict[str, tuple[str, Kind]] = {
    "max_order_qty": ("order_qty_max", _AMOUNT),
    "max_order_notional": ("order_notional_max", _AMOUNT),
    "max_position": ("position_max", _AMOUNT),
    "max_open_orders": ("open_orders_max", _COUNT),
    "orders_per_second": ("orders_per_second", _COUNT),
}
SYMBOL_TABLES = Tables(
    words="tables by symbol, of the keys above",
    keys={name: entry[1] for name, entry in SYMBOL_KEYS.items()},
    upper=True,
)
STRATEGY_TABLES = Tables(
    words=f"tables by strategy, of {', '.join(STRATEGY_KEYS)}",
    keys={name: entry[1] for name, entry in STRATEGY_KEYS.items()},
)
ACCOUNT_FIELDS = {
    "buying_power": "buying_power",
    "session_hours": "session_hours",
    "max_positions": "positions_max",
    "max_gross_exposure": "gross_max",
    "max_net_exposure": "net_max",
    "max_leverage": "leverage_max",
    "max_account_orders": "account_open_orders_max",
    "account_orders_per_second": "account_orders_per_second",
    "cancels_per_second": "cancels_per_second",
    "max_daily_loss": "daily_loss_max",
    "max_drawdown": "drawdown_max",
    "max_refusals": "refusals_max",
    "max_account_risk": "account_risk_max",
    "volatility_lookback": "volatility_lookback",
    "halt_on": "halt_on",
}
"""Key of the account: the field of RiskLimits."""


def limits_from(risk: Mapping[str, Any]) -> RiskLimits:
    """The values of a [risk] section as limits; what it leaves out is as its preset has it."""
    fields = {name: entry[0] for name, entry in SYMBOL_KEYS.items()} | ACCOUNT_FIELDS
    said = {field: risk[key] for key, field in fields.items() if risk[key] is not None}
    if risk["self_trade"] is not None:
        said["self_trade"] = risk["self_trade"] == "refuse"
    symbols, strategies = risk["symbols"] or {}, risk["strategies"] or {}
    said["symbols"] = {
        name: SymbolLimits(**{SYMBOL_KEYS[key][0]: value for key, value in table.items()})
        for name, table in symbols.items()
    }
    said["strategies"] = {
        name: StrategyLimits(**{STRATEGY_KEYS[key][0]: value for key, value in table.items()})
        for name, table in strategies.items()
    }
    return msgspec.structs.replace(RISK_PRESETS[risk["preset"]], **said)
