"""What a report is made of: the manifest and the tables of one run, checked as they enter.

The layout is the result schema, version 3: `manifest.json` and Parquet tables whose columns are numpy arrays here.
Times are int64 nanoseconds UTC; quantities and prices are floats where the page shows them.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep.analytics.execution import FillRate, MarkOut
from lockstep.model.errors import DataError

__all__ = [
    "SCHEMA_VERSION",
    "CostRow",
    "DataFacts",
    "ExecutionFacts",
    "InstrumentFacts",
    "LatencyRow",
    "Manifest",
    "OpenPosition",
    "ReportInput",
    "RunFolderLike",
    "Table",
]

SCHEMA_VERSION = 4
Table = Mapping[str, NDArray[Any] | list[str]]
Money = str | float | int

COLUMNS: dict[str, tuple[str, ...]] = {
    "equity": ("ts", "equity", "gross_exposure"),
    "benchmark": ("ts", "equity"),
    "fills": ("ts", "symbol", "side", "qty", "price", "fee", "slippage"),
    "trades": (
        "entry_ts", "exit_ts", "symbol", "strategy", "side", "qty", "entry_price", "exit_price",
        "gross_pnl", "fees", "net_pnl", "return_pct", "holding_ns", "open",
    ),
    "orders": ("ts", "record", "symbol", "reason"),
    "signals": ("ts", "symbol", "action", "confidence", "target_price", "stop_price", "reasoning"),
    "prices": ("ts", "symbol", "close"),
    "profit": (
        "ts", "strategy", "symbol", "fills", "realised", "fees", "dividends", "funding", "borrow", "slippage", "spread_cost",
    ),
    "actions": ("ts", "symbol", "kind", "ratio_num", "ratio_den", "amount"),
}  # fmt: skip


class StrategyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which strategy ran, and with which parameters."""

    name: str
    file: str = ""
    class_name: str = ""
    source_sha256: str = ""
    params: dict[str, Any] = {}


class InstrumentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was traded, and how its days are counted."""

    symbol: str
    id: str | int = ""
    venue: str = ""
    asset_class: str = ""
    currency: str = ""
    price_decimals: int = 0
    qty_decimals: int = 0
    session: str = ""
    timezone: str = "UTC"
    periods_per_year: int = 252
    fees: str = ""


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which data of one instrument was used; times and lengths in nanoseconds."""

    symbol: str
    source: str = ""
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0
    bar_ns: int = 0
    gaps: int = 0
    longest_gap_ns: int = 0
    content_hash: str = ""
    splits: int = 0
    dividends: int = 0
    adjustments: str = "not modelled"
    notes: tuple[str, ...] = ()
    kind: str = "bar"


class CountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything there was."""

    events: int = 0
    bars: int = 0
    orders: int = 0
    order_events: int = 0
    fills: int = 0
    trades: int = 0
    signals: int = 0
    denied: int = 0
    rejected: int = 0


class OpenPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position at the end; price and value in the account currency."""

    symbol: str
    strategy: str = ""
    qty: Money = 0
    price: Money = 0
    value: Money = 0


class FinalFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger at the end, account currency."""

    equity: Money
    cash: Money = 0
    realised: Money = 0
    unrealised: Money = 0
    fees: Money = 0
    slippage: Money = 0
    dividends: Money = 0
    open_positions: tuple[OpenPosition, ...] = ()


class CostRow(msgspec.Struct, frozen=True, kw_only=True):
    """The run again with costs multiplied."""

    multiple: float
    final_equity: Money
    total_return: float
    sharpe: float | None = None
    trades: int = 0


class LatencyRow(msgspec.Struct, frozen=True, kw_only=True):
    """The run again with orders arriving later."""

    label: str
    latency_ns: int
    final_equity: Money
    total_return: float
    sharpe: float | None = None
    trades: int = 0


class BarPathFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The run again with the other path inside the bars; `share_of_pnl` is a fraction."""

    chosen: str
    other: str
    final_equity_other: Money
    share_of_pnl: float | None = None


class Sensitivity(msgspec.Struct, frozen=True, kw_only=True):
    """What was varied; empty where it was not."""

    costs: tuple[CostRow, ...] = ()
    latency: tuple[LatencyRow, ...] = ()
    bar_path: BarPathFacts | None = None


class ExecutionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How orders on books fared; see `lockstep.analytics.execution`. queue: the model by symbol."""

    queue: dict[str, str] = {}
    recovery_ns: int = 0
    silence_max_ns: int = 0
    messages: dict[str, int] = {}
    order_to_trade: float | None = None
    fill_rates: tuple[FillRate, ...] = ()
    mark_outs: tuple[MarkOut, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest.json`, typed. Fields that a report can do without have a default; unknown ones are ignored."""

    schema_version: int
    run_hash: str
    strategy: StrategyFacts
    final: FinalFacts
    kind: str = "backtest"
    decision_hash: str = ""
    command: str = ""
    config: dict[str, Any] = {}
    instruments: tuple[InstrumentFacts, ...] = ()
    data: tuple[DataFacts, ...] = ()
    counts: CountFacts = CountFacts()
    account: dict[str, Any] = {}
    latency: dict[str, Any] = {}
    execution: ExecutionFacts | None = None
    sensitivity: Sensitivity | None = None
    stopped: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def currency(self) -> str:
        """The account's currency code."""
        return str(self.config.get("currency", ""))

    @property
    def cash(self) -> float:
        """The capital at the start, account currency."""
        return float(self.config.get("cash", 0.0))

    @property
    def bar_ns(self) -> int:
        """The shortest bar of the run, which decides whether times show minutes; a day where nothing is known."""
        return min((d.bar_ns for d in self.data if d.bar_ns > 0), default=86_400_000_000_000)


class RunFolderLike(Protocol):
    """What `ReportInput.from_folder` needs of a run folder; the store's own reader has this shape."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The parsed `manifest.json`."""
        ...

    def table(self, name: str) -> Mapping[str, NDArray[Any] | list[str]]:
        """The columns of one table by name."""
        ...


class ReportInput(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the report reads it. Build it with `from_tables` or `from_folder`, which check it."""

    manifest: Manifest
    tables: dict[str, dict[str, NDArray[Any]]]

    def table(self, name: str) -> dict[str, NDArray[Any]]:
        """The columns of one table; a table the run did not write has its columns, with no rows."""
        return self.tables[name]

    def rows(self, name: str) -> int:
        """How many rows a table has."""
        return len(next(iter(self.tables[name].values())))

    @classmethod
    def from_tables(cls, manifest: Mapping[str, Any], tables: Mapping[str, Table]) -> "ReportInput":
        """Check a manifest and its tables and take them in.

        Args:    manifest: the parsed `manifest.json`; tables: columns by table name, a missing table is empty.
        Raises:  DataError: another schema version, a missing field or column, columns of different length.
        """
        version = manifest.get("schema_version")
        if version != SCHEMA_VERSION:
            raise DataError(
                f"run result has schema version {version!r}, this report reads {SCHEMA_VERSION}",
                hint="run the backtest again with this version of lockstep",
            )
        try:
            facts = msgspec.convert(manifest, Manifest, strict=False)
        except msgspec.ValidationError as e:
            raise DataError(f"manifest.json does not fit the result schema: {e}") from e
        return cls(manifest=facts, tables={name: checked_table(name, tables.get(name, {})) for name in COLUMNS})

    @classmethod
    def from_folder(cls, folder: RunFolderLike) -> "ReportInput":
        """Read everything a report shows from a run folder."""
        return cls.from_tables(folder.manifest, {name: folder.table(name) for name in COLUMNS})


def checked_table(name: str, table: Table) -> dict[str, NDArray[Any]]:
    """The table with plain arrays (nulls become NaN, or an empty text), every column present and equally long."""
    if not table:
        return {column: np.zeros(0, dtype=object) for column in COLUMNS[name]}
    missing = [column for column in COLUMNS[name] if column not in table]
    if missing:
        raise DataError(f"table {name!r} of the run lacks the column {missing[0]!r}; it has {', '.join(sorted(table))}")
    columns = {column: _without_nulls(values) for column, values in table.items()}
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"table {name!r} of the run has columns of different length: {lengths}")
    return columns


def _without_nulls(values: NDArray[Any] | list[str]) -> NDArray[Any]:
    if isinstance(values, list):
        return np.array(values, dtype=object)
    if values.dtype.kind == "O":
        plain = np.ma.filled(values, None) if isinstance(values, np.ma.MaskedArray) else values
        return np.array(["" if value is None else value for value in plain.tolist()], dtype=object)
    if not isinstance(values, np.ma.MaskedArray) or not np.ma.is_masked(values):
        return np.asarray(values)
    return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
