"""The order state table: the whole truth on one screen. Nothing else moves an order from one state to another.

A cell is the next state, or an answer for a pair that should not come: IGNORED (harmless: counted, recorded, no change),
ANOMALY (counted, recorded and raised with the user: the venue's word against our view; no change of state), IMPOSSIBLE
(our own fault: halt), LATE (booked all the same: the position and the cash change, the state is final; counted and raised),
AMEND (a past execution changed: the state follows from what is filled now). RESUME leads back to the state before the pending request. Cumulative quantity stands beside
the state, so PENDING_CANCEL with fills is legal. PARTIAL leaves something open, FILL is the one that completes.
An ACCEPT or TRIGGER that crosses a pending request does not end the request: it changes the state that RESUME leads to.

Beside the table, in `OpenOrders`: a REPLACE or REPLACE_REJECT where none was asked for is an anomaly or ignored, whatever the
state; a replacement without an answer makes every working state PENDING_REPLACE; RESUME with nothing left is FILLED.
"""

from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S

IGNORED, ANOMALY, IMPOSSIBLE, RESUME, LATE, AMEND = -1, -2, -3, -4, -5, -6

TERMINAL = frozenset({S.DENIED, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED})

FIX_ORD_STATUS: dict[S, str] = {
    S.NEW: "",  # exists here alone
    S.DENIED: "",  # never sent
    S.PENDING_NEW: "A",
    S.ACKNOWLEDGED: "0",
    S.TRIGGERED: "0",  # FIX has no state for it; ExecType L
    S.PARTIAL_FILL: "1",
    S.FILLED: "2",
    S.PENDING_CANCEL: "6",
    S.PENDING_REPLACE: "E",
    S.CANCELED: "4",
    S.REJECTED: "8",
    S.EXPIRED: "C",
    S.UNKNOWN: "",  # our doubt, not the venue's
}

# Requests of ours may not meet a finished order: the engine checks first, so such a pair is our own fault, except that
# a cancel may cross a fill, hence IGNORED. The venue's word about a finished order is an ANOMALY: counted and raised.
_FINISHED = {
    E.SUBMIT: IMPOSSIBLE,
    E.DENY: IMPOSSIBLE,
    E.CANCEL_REQUEST: IGNORED,
    E.REPLACE_REQUEST: IGNORED,
    E.LOSE: IGNORED,
    E.ACCEPT: IGNORED,  # an acknowledgement may come after the fill
    E.REJECT: ANOMALY,
    E.TRIGGER: IGNORED,
    E.PARTIAL: LATE,
    E.FILL: LATE,
    E.CANCEL: IGNORED,
    E.CANCEL_REJECT: IGNORED,  # "too late to cancel": the fill crossed our request
    E.REPLACE: ANOMALY,
    E.REPLACE_REJECT: IGNORED,
    E.EXPIRE: IGNORED,
    E.RESTATE: ANOMALY,
    E.CORRECT: LATE,
    E.BUST: LATE,
}

# What a venue may say of an order it works; each state below names only where it differs.
_WORKING = {
    E.SUBMIT: IMPOSSIBLE,
    E.DENY: IMPOSSIBLE,
    E.CANCEL_REQUEST: S.PENDING_CANCEL,
    E.REPLACE_REQUEST: S.PENDING_REPLACE,
    E.LOSE: S.UNKNOWN,
    E.ACCEPT: IGNORED,
    E.REJECT: S.REJECTED,  # some venues accept first and reject then
    E.TRIGGER: S.TRIGGERED,
    E.PARTIAL: S.PARTIAL_FILL,
    E.FILL: S.FILLED,
    E.CANCEL: S.CANCELED,  # unsolicited cancels are legal
    E.CANCEL_REJECT: IGNORED,
    E.REPLACE: ANOMALY,
    E.REPLACE_REJECT: IGNORED,
    E.EXPIRE: S.EXPIRED,
    E.RESTATE: RESUME,
    E.CORRECT: AMEND,
    E.BUST: AMEND,
}

_NEVER_SENT: dict[E, int] = dict.fromkeys(E, IMPOSSIBLE)

TABLE: dict[S, dict[E, int]] = {
    S.NEW: {**_NEVER_SENT, E.SUBMIT: S.PENDING_NEW, E.DENY: S.DENIED},
    S.DENIED: {**_NEVER_SENT, E.CANCEL_REQUEST: IGNORED, E.REPLACE_REQUEST: IGNORED},
    S.PENDING_NEW: {**_WORKING, E.ACCEPT: S.ACKNOWLEDGED},
    S.ACKNOWLEDGED: _WORKING,
    S.TRIGGERED: {**_WORKING, E.TRIGGER: IGNORED},
    S.PARTIAL_FILL: {**_WORKING, E.TRIGGER: IGNORED, E.REJECT: ANOMALY},
    S.PENDING_CANCEL: {
        **_WORKING,
        E.CANCEL_REQUEST: IGNORED,
        E.REPLACE_REQUEST: IGNORED,
        E.ACCEPT: S.PENDING_CANCEL,
        E.TRIGGER: S.PENDING_CANCEL,
        E.PARTIAL: S.PENDING_CANCEL,
        E.CANCEL_REJECT: RESUME,
        E.REPLACE: AMEND,  # asked for before the cancel
        E.REPLACE_REJECT: AMEND,
        E.RESTATE: S.PENDING_CANCEL,
    },
    S.PENDING_REPLACE: {
        **_WORKING,
        E.REPLACE_REQUEST: IGNORED,
        E.ACCEPT: S.PENDING_REPLACE,
        E.TRIGGER: S.PENDING_REPLACE,
        E.PARTIAL: S.PENDING_REPLACE,
        E.REPLACE: RESUME,
        E.REPLACE_REJECT: RESUME,
        E.RESTATE: S.PENDING_REPLACE,
    },
    # Ends only by the venue's word; a request of ours may not be built on it.
    S.UNKNOWN: {
        **_WORKING,
        E.CANCEL_REQUEST: S.UNKNOWN,
        E.REPLACE_REQUEST: IGNORED,
        E.LOSE: IGNORED,
        E.ACCEPT: S.ACKNOWLEDGED,
        E.REPLACE: RESUME,
        E.REPLACE_REJECT: RESUME,
        E.RESTATE: S.UNKNOWN,
    },
    S.FILLED: _FINISHED,
    S.CANCELED: _FINISHED,
    S.REJECTED: _FINISHED,
    S.EXPIRED: _FINISHED,
}


def next_state(state: S, event: E) -> int:
    """The table's answer for a pair: a state, or IGNORED, ANOMALY, IMPOSSIBLE, RESUME, LATE, AMEND."""
    return int(TABLE[state][event])


def flat_table() -> list[int]:
    """The table as one list, index state * len(OrderEventKind) + event, for the compiled order path."""
    return [next_state(state, event) for state in S for event in E]
