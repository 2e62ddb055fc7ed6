"""The rows by name, in the order they are measured and shown.

A row is a function from a `Setting` to the entries it gives: `speed` has those beside rivals, `breadth` many
instruments beside one, `histories` the catalog, `features` what is made of books and trades, `books` order books and backtests on them,
`recordings` the journal, `risk` the risk gate, `costs` memory, start-up and size.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import books, breadth, costs, features, histories, recordings, risk, speed
from benchmarks.race import Setting
from benchmarks.report import Entry

Row = Callable[[Setting], list[Entry]]

ROWS: dict[str, Row] = {
    "bars_ema_cross": speed.bars_ema_cross,
    "orders_filled": speed.orders_filled,
    "quotes_two_ema": speed.quotes_two_ema,
    "trades_ema": speed.trades_ema,
    "risk_verdict": risk.risk_verdict,
    "risk_backtest": risk.risk_backtest,
    "merge_cost": breadth.merge_cost,
    "hundred": breadth.hundred,
    "catalog_read": histories.catalog_read,
    "csv_import": histories.csv_import,
    "features_all": features.features_all,
    "l2_loop": books.l2_loop,
    "l2_call": books.l2_call,
    "l3_loop": books.l3_loop,
    "tick_backtest": books.tick_backtest,
    "tick_python": books.tick_python,
    "book_memory": books.book_memory,
    "log_p99_us": costs.log_p99_us,
    "journal_append": recordings.journal_append,
    "recording_cost": recordings.recording_cost,
    "journal_restart": recordings.journal_restart,
    "memory_peak_mb": costs.memory_peak_mb,
    "import_seconds": costs.import_seconds,
    "install_size": costs.install_size,
}
