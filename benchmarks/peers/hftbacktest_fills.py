"""hftbacktest's side of the comparison of fills: orders at their times through its PartialFillExchange.

    python -m benchmarks.peers.hftbacktest_fills INPUT.npz OUTPUT.npz MODEL [POWER]

INPUT has `events` (its own layout), `actions` (time, order, 0 send or 1 cancel, in time), the orders' columns, `tick`, `lot`, `entry` and
`response` ns, and the `lane` of each order: a lane is a run of its own, in which one order has ended before the next arrives. OUTPUT: for
each order what was filled, when first and last at the exchange, the last price in ticks, its status, and whether the simulator
stopped with an error while it was open.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from numba import njit

MARKET_KIND = 4
TIME_IN_FORCE = np.array([0, 1, 3, 2, 0])  # GTC, POST_ONLY, IOC, FOK, MARKET


@njit
def play(
    hbt: Any,
    actions: Any,
    side: Any,
    price: Any,
    qty: Any,
    kind: Any,
    tif: Any,
    filled: Any,
    first: Any,
    last: Any,
    tick: Any,
    status: Any,
) -> int:
    """Send and cancel at the times given; after each answer look at every order that is open."""
    begin = actions[0, 0] - 1_000_000_000
    if hbt.elapse(0) != 0:
        return -2
    hbt.elapse(begin - hbt.current_timestamp)
    n = len(side)
    open_ids = np.zeros(n, np.int64)
    count = 0
    for k in range(len(actions) + 1):
        until = actions[k, 0] if k < len(actions) else actions[k - 1, 0] + 1_000_000_000
        while hbt.current_timestamp < until:
            said = hbt.wait_next_feed(True, until - hbt.current_timestamp)
            if said == 1:
                return -1
            if said != 0 and said != 2 and said != 3:
                return k
            if said != 3:
                continue
            kept = 0
            for j in range(count):
                i = open_ids[j]
                order = hbt.orders(0).get(i)
                done = order.qty - order.leaves_qty
                if done > filled[i]:
                    filled[i] = done
                    last[i] = order.exch_timestamp
                    tick[i] = order.exec_price_tick
                    if first[i] == 0:
                        first[i] = order.exch_timestamp
                status[i] = order.status
                if order.status == 0 or order.status == 1 or order.status == 5 or order.req != 0:
                    open_ids[kept] = i
                    kept += 1
            count = kept
        if k == len(actions):
            return -1
        i = actions[k, 1]
        if actions[k, 2] == 1:
            order = hbt.orders(0).get(i)
            if order.cancellable:
                hbt.cancel(0, i, False)
            continue
        how = 1 if kind[i] == MARKET_KIND else 0
        if side[i] > 0:
            hbt.submit_buy_order(0, i, price[i], qty[i], tif[i], how, False)
        else:
            hbt.submit_sell_order(0, i, price[i], qty[i], tif[i], how, False)
        open_ids[count] = i
        count += 1
    return -1


def asset_of(given: Any, model: str, power: float) -> Any:
    """The instrument under a queue model."""
    asset = (
        BacktestAsset()
        .data(given["events"])
        .linear_asset(1.0)
        .constant_order_latency(int(given["entry"]), int(given["response"]))
        .partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(float(given["tick"]))
        .lot_size(float(given["lot"]))
        .last_trades_capacity(0)
    )
    if model == "pessimistic":
        return asset.risk_adverse_queue_model()
    return asset.log_prob_queue_model() if model == "log" else asset.power_prob_queue_model(power)


def main() -> None:
    """Run lane after lane and write. A lane whose simulator stops with an error goes on after the order at fault."""
    with np.load(sys.argv[1]) as file:
        given = dict(file)
    model, power = sys.argv[3], float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    n = len(given["side"])
    filled = np.zeros(n)
    first, last, tick, status = (np.zeros(n, np.int64) for _ in range(4))
    stopped = np.zeros(n, np.int64)
    tif = TIME_IN_FORCE[given["kind"]]
    lane_of = given["lane"][given["actions"][:, 1]]
    for lane in range(int(given["lane"].max()) + 1):
        actions = np.ascontiguousarray(given["actions"][lane_of == lane])
        while len(actions):
            hbt = HashMapMarketDepthBacktest([asset_of(given, model, power)])
            at = play(
                hbt, actions, given["side"], given["price"], given["qty"], given["kind"], tif, filled, first, last, tick, status
            )  # fmt: skip
            hbt.close()
            if at < 0:
                break
            fault = actions[
                max(0, min(at, len(actions)) - 1), 1
            ]  # the order sent last: in a lane, the only one that is open
            stopped[fault] = 1
            actions = np.ascontiguousarray(actions[actions[:, 0] > actions[actions[:, 1] == fault][-1, 0]])
    np.savez(sys.argv[2], filled=filled, first=first, last=last, tick=tick, status=status, stopped=stopped)


if __name__ == "__main__":
    main()
