"""The tables of a run's result: their names, columns and types. Part of the result's schema_version."""

RESULT_SCHEMA_VERSION = 4

I64, I8, F64, TEXT, BOOL = "BIGINT", "TINYINT", "DOUBLE", "VARCHAR", "BOOLEAN"
NULLABLE = {("signals", "target_price"), ("signals", "stop_price")}
"""Columns where a missing value means "none was given"; NaN is written as such."""

RUN_TABLES: dict[str, dict[str, str]] = {
    "equity": {
        "ts": I64, "equity": F64, "cash": F64, "gross_exposure": F64, "net_exposure": F64, "margin_used": F64,
    },
    "fills": {
        "ts": I64, "ts_event": I64, "exec_id": I64, "order_id": I64, "strategy": TEXT, "symbol": TEXT, "side": I8,
        "qty_units": I64, "price_units": I64, "qty": F64, "price": F64, "fee": F64, "slippage": F64,
        "spread_cost": F64, "realised": F64, "rate": F64, "liquidity": TEXT,
    },
    "markouts": {
        "exec_id": I64, "ts_event": I64, "symbol": TEXT, "strategy": TEXT, "side": I8, "qty": F64, "price": F64, "liquidity": TEXT,
        "after_1s": F64, "after_5s": F64, "after_15s": F64,
    },
    "placements": {
        "order_id": I64, "ts_event": I64, "symbol": TEXT, "strategy": TEXT, "side": I8, "ticks_behind": F64, "ahead": F64, "qty": F64, "filled": F64,
    },
    "orders": {
        "seq": I64, "ts": I64, "ts_event": I64, "record": TEXT, "order_id": I64, "client_id": TEXT, "parent_id": I64, "strategy": TEXT, "symbol": TEXT,
        "side": I8, "type": TEXT, "tif": TEXT, "qty_units": I64, "limit_units": I64, "stop_units": I64,
        "cum_units": I64, "leaves_units": I64, "state": TEXT, "reason": TEXT, "who": TEXT, "signal_id": I64,
        "post_only": BOOL, "reduce_only": BOOL, "display_units": I64, "trail_units": I64, "trail_ppm": I64,
    },
    "risk": {
        "ts": I64, "record": TEXT, "order_id": I64, "strategy": TEXT, "symbol": TEXT, "rule": TEXT, "limit": F64,
        "actual": F64,
    },
    "trades": {
        "entry_ts": I64, "exit_ts": I64, "symbol": TEXT, "strategy": TEXT, "side": I8, "qty": F64,
        "entry_price": F64, "exit_price": F64, "gross_pnl": F64, "fees": F64, "net_pnl": F64, "return_pct": F64,
        "holding_ns": I64, "open": BOOL,
    },
    "signals": {
        "signal_id": I64, "ts": I64, "strategy": TEXT, "symbol": TEXT, "action": TEXT, "confidence": F64,
        "target_price": F64, "stop_price": F64, "reasoning": TEXT,
    },
    "prices": {
        "ts": I64, "symbol": TEXT, "open": F64, "high": F64, "low": F64, "close": F64, "volume": F64,
    },
    "benchmark": {"ts": I64, "equity": F64},
    "profit": {
        "ts": I64, "strategy": TEXT, "symbol": TEXT, "currency": TEXT, "fills": I64, "realised": TEXT, "fees": TEXT,
        "dividends": TEXT, "funding": TEXT, "borrow": TEXT, "slippage": F64, "spread_cost": F64,
    },
    "actions": {
        "ts": I64, "symbol": TEXT, "kind": TEXT, "ratio_num": I64, "ratio_den": I64, "amount": F64,
    },
}  # fmt: skip
"""Every run folder holds every one of them, empty where nothing happened. Times are ns UTC."""
