"""Requests and reports as plain data, and back: what is under way when a run is saved.

Saved state is plain: texts, whole numbers of any size, floats (nan among them), lists and dicts with text keys. Each record
is written field by field under the field's own name; a test compares the names with the declarations.
"""

from collections.abc import Mapping
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderRequest, VenueReport, make_report
else:
    from lockstep.model.traffic import OrderRequest, VenueReport, make_report
from lockstep.model.traffic import make_request

REQUEST_FIELDS = (
    "kind",
    "strategy",
    "instrument",
    "ts",
    "basis_ts",
    "order_id",
    "side",
    "order_type",
    "time_in_force",
    "qty",
    "limit_price",
    "stop_price",
    "expire_ts",
)


def save_request(request: OrderRequest) -> dict[str, Any]:
    """A command on its way."""
    return {name: getattr(request, name) for name in REQUEST_FIELDS}


def restore_request(saved: Mapping[str, Any]) -> OrderRequest:
    """The command that `save_request` saw."""
    return make_request(**saved)


def save_report(report: VenueReport) -> dict[str, Any]:
    """A venue's word on its way."""
    return {
        "kind": report.kind,
        "instrument": report.instrument,
        "reason": report.reason,
        "liquidity": report.liquidity,
        "clock": report.clock,
        "ts_event": report.ts_event,
        "seq": report.seq,
        "order_id": report.order_id,
        "venue_order_id": report.venue_order_id,
        "exec_id": report.exec_id,
        "qty": report.qty,
        "price": report.price,
        "reference_price": report.reference_price,
        "limit_price": report.limit_price,
        "stop_price": report.stop_price,
        "fee": report.fee,
    }


def restore_report(saved: Mapping[str, Any]) -> VenueReport:
    """The word that `save_report` saw."""
    report: VenueReport = make_report(
        saved["kind"],
        saved["instrument"],
        saved["clock"],
        saved["ts_event"],
        saved["order_id"],
        saved["venue_order_id"],
        saved["reason"],
    )
    report.liquidity = saved["liquidity"]
    report.seq = saved["seq"]
    report.exec_id = saved["exec_id"]
    report.qty = saved["qty"]
    report.price = saved["price"]
    report.reference_price = saved["reference_price"]
    report.limit_price = saved["limit_price"]
    report.stop_price = saved["stop_price"]
    report.fee = saved["fee"]
    return report
