"""Requests and reports as plain data, and back: what is under way when a run is saved.

Saved state is plain: texts, whole numbers of any size, floats (nan among them), lists and dicts with text keys. Each record
is written field by field under the field's own name; a test compares the names with the declarations.
"""

from collections.abc import Mapping
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.model.traffic import OrderRequest, OrderTerms, VenueReport, make_report
else:
    from lockstep.model.traffic import OrderRequest, OrderTerms, VenueReport, make_report
from lockstep.model.traffic import make_request, make_terms

TERMS = (
    "side",
    "order_type",
    "time_in_force",
    "flags",
    "qty",
    "limit_price",
    "stop_price",
    "trail",
    "expire_ts",
    "signal_id",
    "display",
)


def save_terms(terms: OrderTerms) -> dict[str, Any]:
    """What is asked of an order."""
    return {name: getattr(terms, name) for name in TERMS}


def save_request(request: OrderRequest) -> dict[str, Any]:
    """A command on its way."""
    return {
        "kind": request.kind,
        "strategy": request.strategy,
        "instrument": request.instrument,
        "ts": request.ts,
        "basis_ts": request.basis_ts,
        "order_id": request.order_id,
        "revision": request.revision,
        "replaces": request.replaces,
        "terms": None if request.terms is None else save_terms(request.terms),
    }


def restore_request(saved: Mapping[str, Any]) -> OrderRequest:
    """The command that `save_request` saw."""
    terms = saved["terms"]
    return make_request(
        saved["kind"],
        saved["strategy"],
        saved["instrument"],
        saved["ts"],
        saved["basis_ts"],
        saved["order_id"],
        None if terms is None else make_terms(**terms),
        saved["revision"],
        saved["replaces"],
    )


def save_report(report: VenueReport) -> dict[str, Any]:
    """A venue's word on its way."""
    return {
        "kind": report.kind,
        "instrument": report.instrument,
        "reason": report.reason,
        "liquidity": report.liquidity,
        "revision": report.revision,
        "clock": report.clock,
        "ts_event": report.ts_event,
        "seq": report.seq,
        "order_id": report.order_id,
        "venue_order_id": report.venue_order_id,
        "exec_id": report.exec_id,
        "ref_exec_id": report.ref_exec_id,
        "qty": report.qty,
        "price": report.price,
        "reference_price": report.reference_price,
        "spread": report.spread,
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
    report.revision = saved["revision"]
    report.seq = saved["seq"]
    report.exec_id = saved["exec_id"]
    report.ref_exec_id = saved["ref_exec_id"]
    report.qty = saved["qty"]
    report.price = saved["price"]
    report.reference_price = saved["reference_price"]
    report.spread = saved["spread"]
    report.limit_price = saved["limit_price"]
    report.stop_price = saved["stop_price"]
    report.fee = saved["fee"]
    return report
