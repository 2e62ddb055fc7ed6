"""The decision log's record: 64 bytes, one for each command, order event, signal and corporate action.

Eight little-endian words: ts, ts_event (expire_ts of a submit), head, id, a, b, c, d. The head packs small fields, see
`HEAD`. The run hash and the decision hash are taken over these bytes.

| record | id | a | b | c | d |
|---|---|---|---|---|---|
| SUBMIT, DENY | order | quantity | limit price | stop price, or trail | signal |
| CANCEL_REQUEST | order | cumulative | leaves | | |
| PARTIAL, FILL | order | quantity | price | execution id | cumulative |
| RESTATE | order | quantity | limit price | stop price, or trail | cumulative |
| REPLACE_REQUEST, REPLACE | order | total quantity | limit price | stop price | cumulative |
| CORRECT | order | quantity now | price now | execution id it is about | cumulative |
| BUST | order | quantity undone | its price | execution id it is about | cumulative |
| other order events | order | cumulative | leaves | venue order id | |
| SIGNAL | signal | confidence (float64) | target (float64) | stop (float64) | action |
| SPLIT | 0 | new shares | old shares | | |
| ORPHAN | order that is not known | quantity | price | execution id | kind of event |
| SUSPEND, LIFT | order, or 0 | who | | | |
| LINK | order (its SUBMIT may follow) | parent order, or 0 | 0 alternative, 1 take profit, 2 stop loss | group | |
| DIVIDEND | 0 | amount | its decimals | strategy's ledger units, low 64 bits | |

The trail of a TRAILING_STOP stands in the place of its stop price: price units, or millionths of the price where the
flags say TRAIL_PPM.

Who brought a record about follows from its kind: requests are the strategy's, refusals by risk and losses the system's, all
else the venue's. Where it was someone else, the head says so, in the bits in which a fill has its liquidity.
"""

import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import OrderEventKind, Who

DECISION_SCHEMA_VERSION = 1
DECISION_WORDS = 8
FILL_WORDS = 11
"""ts, ts_event, exec id, order id, head, quantity, price, reference price, fee, slippage, spread cost (float64)."""
EQUITY_WORDS = 5
"""ts, equity, cash, gross exposure, net exposure (float64 but for ts)."""

SIGNAL, SPLIT, DIVIDEND = 32, 33, 34
ORPHAN, SUSPEND, LIFT, LINK = 48, 49, 50, 51

RECORD_NAMES = {int(kind): kind.name.lower() for kind in OrderEventKind} | {
    SIGNAL: "signal",
    SPLIT: "split",
    DIVIDEND: "dividend",
    ORPHAN: "orphan",
    SUSPEND: "suspend",
    LIFT: "lift",
    LINK: "link",
}

_REQUESTS = (OrderEventKind.SUBMIT, OrderEventKind.CANCEL_REQUEST, OrderEventKind.REPLACE_REQUEST)
_JUDGED = (OrderEventKind.DENY, OrderEventKind.LOSE)
WHO = {
    int(kind): Who.STRATEGY if kind in _REQUESTS else Who.SYSTEM if kind in _JUDGED else Who.VENUE
    for kind in OrderEventKind
}
"""Who brings an order record about unless its head says otherwise."""
LINK_ROLES = ("alternative", "take_profit", "stop_loss")

# field: (shift, bits). Side and action are stored + 1. flags: OrderFlag; bit 63, the sign, stays 0.
HEAD = {
    "kind": (0, 6),
    "side": (6, 2),
    "type": (8, 3),
    "tif": (11, 3),
    "state": (14, 5),
    "reason": (19, 6),
    "liquidity": (25, 2),
    "who": (25, 2),
    "instrument": (27, 16),
    "strategy": (43, 16),
    "flags": (59, 3),
}


def field(head: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """One packed field of a column of heads."""
    shift, bits = HEAD[name]
    values: NDArray[np.int64] = (head >> shift) & ((1 << bits) - 1)
    return values - 1 if name == "side" else values
