"""Open orders as plain data, and back: field by field under the field's own name, which a test compares with the class."""

from collections.abc import Mapping, Sequence
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.lockstep.orders.order import OpenOrders, Order
else:
    from lockstep.orders.order import OpenOrders, Order
from lockstep.model.instrument import Instrument
from lockstep.model.saved import restore_report, save_report


def save_orders(orders: OpenOrders) -> dict[str, Any]:
    """Every order that is not done, oldest first, the last that are, and the counters."""
    return {
        "by_id": [save_order(order) for order in orders.by_id.values()],
        "last_id": orders.last_id,
        "anomalies": [[*pair, count] for pair, count in orders.anomalies.items()],
        "ignored": [[*pair, count] for pair, count in orders.ignored.items()],
        "done_count": orders.done_count,
        "done": [save_order(order) for order in orders.done],
        "done_kept": orders.done_kept,
        "duplicates": orders.duplicates,
        "overfills": orders.overfills,
    }


def restore_orders(orders: OpenOrders, saved: Mapping[str, Any], instruments: Sequence[Instrument]) -> None:
    """Continue from `save_orders`. instruments: of the engine, by index."""
    orders.latest = None
    orders.by_id = {
        entry["order_id"]: restore_order(entry, instruments[entry["instrument_index"]]) for entry in saved["by_id"]
    }
    orders.last_id = saved["last_id"]
    orders.anomalies = {(state, event): count for state, event, count in saved["anomalies"]}
    orders.ignored = {(state, event): count for state, event, count in saved["ignored"]}
    orders.done_count = saved["done_count"]
    orders.done = [restore_order(entry, instruments[entry["instrument_index"]]) for entry in saved["done"]]
    orders.done_kept = saved["done_kept"]
    orders.duplicates = saved["duplicates"]
    orders.overfills = saved["overfills"]


def save_order(order: Order) -> dict[str, Any]:
    """One order; its instrument goes by index."""
    return {
        "order_id": order.order_id,
        "venue_order_id": order.venue_order_id,
        "strategy": order.strategy,
        "owner_index": order.owner_index,
        "strategy_index": order.strategy_index,
        "instrument_index": order.instrument_index,
        "side_sign": order.side_sign,
        "type_code": order.type_code,
        "tif_code": order.tif_code,
        "flag_bits": order.flag_bits,
        "qty_units": order.qty_units,
        "cum_units": order.cum_units,
        "limit_units": order.limit_units,
        "stop_units": order.stop_units,
        "trail_units": order.trail_units,
        "expire_ts": order.expire_ts,
        "signal_id": order.signal_id,
        "display_units": order.display_units,
        "ts_sent": order.ts_sent,
        "state_code": order.state_code,
        "resume_code": order.resume_code,
        "reason_code": order.reason_code,
        "notional_units": order.notional_units,
        "reserve": order.reserve,
        "revision": order.revision,
        "revision_asked": order.revision_asked,
        "replace_units": order.replace_units,
        "replace_limit": order.replace_limit,
        "parent_id": order.parent_id,
        "group_id": order.group_id,
        "unreserved": order.unreserved,
        "first_fill": None if order.first_fill is None else save_report(order.first_fill),
        "more_fills": None if order.more_fills is None else [save_report(report) for report in order.more_fills],
        "amendments": None if order.amendments is None else [[*pair] for pair in order.amendments.items()],
        "exec_id_max": order.exec_id_max,
    }


def restore_order(saved: Mapping[str, Any], instrument: Instrument) -> Order:
    """The order that `save_order` saw."""
    order: Order = Order.__new__(Order)
    order.order_id = saved["order_id"]
    order.venue_order_id = saved["venue_order_id"]
    order.strategy = saved["strategy"]
    order.owner_index = saved["owner_index"]
    order.strategy_index = saved["strategy_index"]
    order.instrument = instrument
    order.instrument_index = saved["instrument_index"]
    order.side_sign = saved["side_sign"]
    order.type_code = saved["type_code"]
    order.tif_code = saved["tif_code"]
    order.flag_bits = saved["flag_bits"]
    order.qty_units = saved["qty_units"]
    order.cum_units = saved["cum_units"]
    order.limit_units = saved["limit_units"]
    order.stop_units = saved["stop_units"]
    order.trail_units = saved["trail_units"]
    order.expire_ts = saved["expire_ts"]
    order.signal_id = saved["signal_id"]
    order.display_units = saved.get("display_units", 0)  # what was saved before this was kept shows all
    order.ts_sent = saved["ts_sent"]
    order.state_code = saved["state_code"]
    order.resume_code = saved["resume_code"]
    order.reason_code = saved["reason_code"]
    order.notional_units = saved["notional_units"]
    order.reserve = saved["reserve"]
    order.revision = saved["revision"]
    order.revision_asked = saved["revision_asked"]
    order.replace_units = saved["replace_units"]
    order.replace_limit = saved.get("replace_limit", 0)  # what was saved before this was kept has none
    order.parent_id = saved["parent_id"]
    order.group_id = saved["group_id"]
    order.unreserved = saved["unreserved"]
    first, more, amendments = saved["first_fill"], saved["more_fills"], saved["amendments"]
    order.first_fill = None if first is None else restore_report(first)
    order.more_fills = None if more is None else [restore_report(report) for report in more]
    order.amendments = None if amendments is None else dict(amendments)
    order.exec_id_max = saved["exec_id_max"]
    order.refusal = None  # an order that was refused is done, and what is done is not saved
    return order
