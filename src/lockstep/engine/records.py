"""The decision log's record: 64 bytes, one for each command, order event, signal, corporate action and posting of cash.

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
| DIVIDEND | 0 | amount | its decimals | money (low) | money (float64) |
| FUNDING, BORROW | 0 | rate | its decimals | money (low) | money (float64) |
| IN_LIEU | 0 | profit (low) | profit (float64) | money (low) | money (float64) |
| MARGIN_CALL, MARGIN_CLEAR | 0 | | | equity (float64) | maintenance margin (float64) |
| ORPHAN | order that is not known | quantity | price | execution id | kind of event |
| SUSPEND, LIFT | order, or 0 | who | | | |
| LINK | order (its SUBMIT may follow) | parent order, or 0 | 0 alternative, 1 take profit, 2 stop loss | group | |
| DISPLAY | order (its SUBMIT or DENY follows; again at a split) | quantity shown at a time, 0 for nothing | | | |
| REFUSAL, WARNING | order | Reason | limit (float64) | actual (float64) | |
| KILL | 0 | Reason | limit (float64) | actual (float64) | 1 by command, else 0 |
| RESET, LIMITS | 0 | | | | 1 |

Money is what the strategy's position received, below 0 where it paid, in the currency the instrument settles in: the low 64
bits of its ledger units, and the same as a float of the currency. Together they are exact (`exact_units`).

The trail of a TRAILING_STOP stands in the place of its stop price: price units, or millionths of the price where the
flags say TRAIL_PPM. A REFUSAL follows the DENY of its order, or the request it refused; a WARNING comes before the SUBMIT or DENY
of the order that came near a limit (0: a cancel). KILL and RESET are the kill switch; LIMITS a change of the limits.

Who brought a record about follows from its kind: requests are the strategy's, refusals by risk and losses the system's, all
else the venue's. Where it was someone else, the head says so, in the bits in which a fill has its liquidity.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lockstep.model.enums import OrderEventKind, Who

DECISION_SCHEMA_VERSION = 3
DECISION_WORDS = 8
FILL_WORDS = 15
"""ts, ts_event, exec id, order id, head, quantity, price, reference price, fee, slippage, spread cost (float64), fee (low),
realised profit (float64), the same (low), rate of the settlement currency in the account's (float64)."""
EQUITY_WORDS = 6
"""ts, equity, cash, gross exposure, net exposure, margin used (float64 but for ts)."""

SIGNAL, SPLIT, DIVIDEND, FUNDING, BORROW, IN_LIEU, MARGIN_CALL, MARGIN_CLEAR = range(32, 40)
POSTINGS = (DIVIDEND, FUNDING, BORROW, IN_LIEU)
"""Records of cash that is no fill's."""
ORPHAN, SUSPEND, LIFT, LINK, DISPLAY = 48, 49, 50, 51, 52
REFUSAL, WARNING, KILL, RESET, LIMITS = 43, 44, 45, 46, 47

RECORD_NAMES = {int(kind): kind.name.lower() for kind in OrderEventKind} | {
    SIGNAL: "signal",
    SPLIT: "split",
    DIVIDEND: "dividend",
    FUNDING: "funding",
    BORROW: "borrow",
    IN_LIEU: "in_lieu",
    MARGIN_CALL: "margin_call",
    MARGIN_CLEAR: "margin_clear",
    ORPHAN: "orphan",
    SUSPEND: "suspend",
    LIFT: "lift",
    LINK: "link",
    DISPLAY: "display",
    REFUSAL: "refusal",
    WARNING: "warning",
    KILL: "kill",
    RESET: "reset",
    LIMITS: "limits",
}

_REQUESTS = (OrderEventKind.SUBMIT, OrderEventKind.CANCEL_REQUEST, OrderEventKind.REPLACE_REQUEST)
_JUDGED = (OrderEventKind.DENY, OrderEventKind.LOSE)
WHO = {
    int(kind): Who.STRATEGY if kind in _REQUESTS else Who.SYSTEM if kind in _JUDGED else Who.VENUE
    for kind in OrderEventKind
}
"""Who brings an order record about unless its head says otherwise."""
LINK_ROLES = ("alternative", "take_profit", "stop_loss")

_HALF = 1 << 63

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


def exact_units(low: int, amount: float, decimals: int) -> int:
    """Ledger units from their low 64 bits and the amount as a float of the currency.

    The float says which of the numbers with these low bits is meant: exact below 2**114 units, where the float's own
    rounding reaches half of 2**64.
    """
    near: int = round(Fraction(amount) * 10**decimals)
    around: int = (low - near + _HALF) % (2 * _HALF) - _HALF
    return near + around
