"""What a backtest is run under, as data. Every field is part of the run hash."""

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.fees import FeeSchedule
from lockstep.risk.limits import RiskLimits
from lockstep.sim.models import AUTO, DELAY_WAYS, LATENCIES, BarFills, BookFills, Latency, Slippage

CONFIG_SCHEMA_VERSION = 1
MISSING_BARS = ("skip", "carry")


class BacktestConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Account, venue model and range of a backtest. Defaults are pessimistic: fees, latency and slippage are on.

    cash: opening balance. currency: what the account counts in; None, the one that everything settles in. rates: stated, by
    currency, of the account's for 1 of it; other rates are prices among the data. margins: by symbol, the fractions of an
    exposure that opening and keeping it tie up; by default 1 / leverage, and half of it. borrow: a fraction a year of the
    value of shares held short. leverage: gross exposure allowed per unit of equity. fees: replaces
    each instrument's own schedule; cost_multiple multiplies fees and slippage (cost sensitivity). sessions: the parts of
    the day to trade in, of "pre", "regular", "after"; by default the hours of the instrument's calendar. missing_bars:
    "skip", a missing bar is no event, or "carry", the last price is shown again (`run.carry` has the rule). start_ns, end_ns:
    bars that start in [start, end), ns UTC. seed: of the latency's draws. latency: "auto"
    is settled by the data, see `run.latency`.
    """

    cash: Decimal = Decimal(100_000)
    currency: str | None = None
    rates: dict[str, Decimal] = {}
    margins: dict[str, tuple[Decimal, Decimal]] = {}
    borrow: Decimal = Decimal(0)
    leverage: Decimal = Decimal(1)
    fees: FeeSchedule | None = None
    cost_multiple: int = 1
    latency: Latency = LATENCIES[AUTO]
    slippage: Slippage = Slippage(bps=Decimal(1))
    fills: BarFills = BarFills()
    books: BookFills = BookFills()
    limits: RiskLimits = RiskLimits()
    sessions: tuple[str, ...] = ()
    missing_bars: str = "skip"
    seed: int = 0
    start_ns: int | None = None
    end_ns: int | None = None

    def __post_init__(self) -> None:
        """Raises: UsageError: an account that could not trade, or an empty range."""
        if not self.cash.is_finite() or self.cash <= 0:  # a NaN cannot even be compared
            raise UsageError(f"opening cash was {self.cash}, must be a finite amount above 0")
        if not self.leverage.is_finite() or not 0 < self.leverage <= 1000:
            raise UsageError(f"leverage was {self.leverage}, limit above 0 to 1000")
        if not self.borrow.is_finite() or not 0 <= self.borrow <= 10:
            raise UsageError(f"borrow was {self.borrow}, limit 0 to 10", hint="a fraction a year: 0.03 is 3 %")
        if self.missing_bars not in MISSING_BARS:
            hint = did_you_mean(self.missing_bars, MISSING_BARS)
            raise UsageError(f"unknown rule for missing bars {self.missing_bars!r}", hint=hint)
        if self.cost_multiple < 0:
            raise UsageError(f"cost multiple was {self.cost_multiple}, must be 0 or more")
        if self.start_ns is not None and self.end_ns is not None and self.start_ns >= self.end_ns:
            raise UsageError("the range is empty: its start is not before its end")

    def facts(self) -> dict[str, Any]:
        """Plain values for the manifest and the run hash. Equal amounts are the same text: 100000.0 is 100000."""
        facts: dict[str, Any] = _plain(msgspec.to_builtins(self, builtin_types=(Decimal,)))
        if self.books == BookFills():  # absent: as by default, so that runs without books keep their hashes
            del facts["books"]
        latency = facts["latency"]
        for name in ("feed_jitter_ns", *(f"{way}_tail" for way in DELAY_WAYS)):
            if not latency[name]:  # likewise
                del latency[name]
        recorded = latency.pop("recorded")
        if recorded:  # by its content: a recording may have as many rows as the run has orders
            digest = hashlib.sha256(msgspec.json.encode(recorded)).hexdigest()
            latency["recorded"] = {"rows": len(recorded), "sha256": digest}
        return facts


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value
