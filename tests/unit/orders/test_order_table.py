"""The order state table: every pair, as it is meant to be. A change of the table shows here."""

import pytest

from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.orders.table import (
    AMEND,
    ANOMALY,
    FIX_ORD_STATUS,
    IGNORED,
    IMPOSSIBLE,
    LATE,
    RESUME,
    TABLE,
    TERMINAL,
    flat_table,
    next_state,
)

# Rows are states, columns events in their order; "-" ignored, "?" anomaly, "!" impossible, "<" back to before the request,
# "*" booked though it is done, "~" the state follows from what is filled.
SHORT = {
    "NEW": S.NEW, "DEN": S.DENIED, "PN": S.PENDING_NEW, "ACK": S.ACKNOWLEDGED, "TRG": S.TRIGGERED, "PF": S.PARTIAL_FILL,
    "FIL": S.FILLED, "PC": S.PENDING_CANCEL, "PR": S.PENDING_REPLACE, "CAN": S.CANCELED, "REJ": S.REJECTED,
    "EXP": S.EXPIRED, "UNK": S.UNKNOWN, "-": IGNORED, "?": ANOMALY, "!": IMPOSSIBLE, "<": RESUME,
    "*": LATE, "~": AMEND,
}  # fmt: skip
SNAPSHOT = """
     SUBMIT DENY CANCEL_REQUEST REPLACE_REQUEST LOSE ACCEPT REJECT TRIGGER PARTIAL FILL CANCEL CANCEL_REJECT REPLACE REPLACE_REJECT EXPIRE RESTATE CORRECT BUST
NEW  PN     DEN  !              !               !    !      !      !       !       !    !      !             !       !              !      !       !       !
DEN  !      !    -              -               !    !      !      !       !       !    !      !             !       !              !      !       !       !
PN   !      !    PC             PR              UNK  ACK    REJ    TRG     PF      FIL  CAN    -             ?       -              EXP    <       ~       ~
ACK  !      !    PC             PR              UNK  -      REJ    TRG     PF      FIL  CAN    -             ?       -              EXP    <       ~       ~
TRG  !      !    PC             PR              UNK  -      REJ    -       PF      FIL  CAN    -             ?       -              EXP    <       ~       ~
PF   !      !    PC             PR              UNK  -      ?      -       PF      FIL  CAN    -             ?       -              EXP    <       ~       ~
FIL  !      !    -              -               -    -      ?      -       *       *    -      -             ?       -              -      ?       *       *
PC   !      !    -              -               UNK  PC     REJ    PC      PC      FIL  CAN    <             ~       ~              EXP    PC      ~       ~
PR   !      !    PC             -               UNK  PR     REJ    PR      PR      FIL  CAN    -             <       <              EXP    PR      ~       ~
CAN  !      !    -              -               -    -      ?      -       *       *    -      -             ?       -              -      ?       *       *
REJ  !      !    -              -               -    -      ?      -       *       *    -      -             ?       -              -      ?       *       *
EXP  !      !    -              -               -    -      ?      -       *       *    -      -             ?       -              -      ?       *       *
UNK  !      !    UNK            -               -    ACK    REJ    TRG     PF      FIL  CAN    -             <       <              EXP    UNK     ~       ~
"""


def test_table_is_the_snapshot_for_every_pair_of_state_and_event() -> None:
    header, *rows = [line.split() for line in SNAPSHOT.strip().splitlines()]
    assert [SHORT[row[0]] for row in rows] == list(S)
    assert header == [event.name for event in E]
    for state, (_, *answers) in zip(S, rows, strict=True):
        for event, answer in zip(E, answers, strict=True):
            assert next_state(state, event) == SHORT[answer], (state.name, event.name)
    assert flat_table() == [SHORT[answer] for row in rows for answer in row[1:]]


OURS = {E.SUBMIT, E.DENY, E.CANCEL_REQUEST, E.REPLACE_REQUEST, E.LOSE}
EXECUTIONS = {E.PARTIAL, E.FILL, E.CORRECT, E.BUST}
ENDS = {E.CANCEL: S.CANCELED, E.REJECT: S.REJECTED, E.EXPIRE: S.EXPIRED, E.FILL: S.FILLED}
PENDING = {S.PENDING_CANCEL, S.PENDING_REPLACE}


def ruled(state: S, event: E, answer: int) -> bool:
    """The rules in words, without the table: whether an answer obeys the first that speaks of the pair."""
    if state is S.NEW:  # only we know of it
        return answer == {E.SUBMIT: S.PENDING_NEW, E.DENY: S.DENIED}.get(event, IMPOSSIBLE)
    if event in (E.SUBMIT, E.DENY):  # an order is judged and sent once in all time
        return answer == IMPOSSIBLE
    if state is S.DENIED:  # no venue ever heard of it
        return answer == (IGNORED if event in (E.CANCEL_REQUEST, E.REPLACE_REQUEST) else IMPOSSIBLE)
    if state in TERMINAL:  # final, and yet an execution is the truth
        return answer == LATE if event in EXECUTIONS else answer in (IGNORED, ANOMALY)
    if event in (E.CORRECT, E.BUST):  # what is filled decides
        return answer == AMEND
    if event is E.REJECT and state is S.PARTIAL_FILL:  # who filled some of it cannot have refused it
        return answer == ANOMALY
    if event in ENDS:  # the venue ends an order whenever it says so, asked or not
        return answer == ENDS[event]
    if state is S.UNKNOWN and event in OURS:  # no request of ours says what became of it
        return answer in (S.UNKNOWN, IGNORED)
    if event is E.LOSE:  # any open order may be lost
        return answer == S.UNKNOWN
    if event in (E.REPLACE, E.REPLACE_REJECT):  # an answer where one may be out, else none that counts
        return answer in ((RESUME, AMEND) if state in (*PENDING, S.UNKNOWN) else (ANOMALY, IGNORED))
    if state in PENDING and event in (E.ACCEPT, E.TRIGGER, E.PARTIAL, E.RESTATE):  # that does not answer the request
        return answer == state
    if event is E.CANCEL_REJECT:  # it goes on where a cancel was out, and proves nothing elsewhere
        return answer == (RESUME if state is S.PENDING_CANCEL else IGNORED)
    wanted = {
        E.CANCEL_REQUEST: S.PENDING_CANCEL, E.REPLACE_REQUEST: S.PENDING_REPLACE, E.PARTIAL: S.PARTIAL_FILL,
        E.TRIGGER: S.TRIGGERED, E.ACCEPT: S.ACKNOWLEDGED, E.RESTATE: S.UNKNOWN if state is S.UNKNOWN else RESUME,
    }  # fmt: skip
    return answer == wanted[event] or (answer == IGNORED and event in (E.ACCEPT, E.TRIGGER, *OURS))


def test_every_pair_of_state_and_event_obeys_the_rules_in_words() -> None:
    broken = [(s.name, e.name, next_state(s, e)) for s in S for e in E if not ruled(s, e, next_state(s, e))]
    assert broken == []


def test_terminal_states_are_final() -> None:
    assert {S.DENIED, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED} == TERMINAL
    for state in TERMINAL:
        assert all(answer in (IGNORED, ANOMALY, IMPOSSIBLE, LATE) for answer in TABLE[state].values())


def test_every_open_state_can_end_and_every_state_is_reached() -> None:
    assert {answer for row in TABLE.values() for answer in row.values() if answer >= 0} == set(S) - {S.NEW}
    for state in set(S) - TERMINAL - {S.NEW}:
        assert {next_state(state, E.FILL), next_state(state, E.CANCEL), next_state(state, E.EXPIRE)} <= TERMINAL


def test_unknown_ends_only_by_the_word_of_the_venue() -> None:
    for event in (E.SUBMIT, E.DENY, E.CANCEL_REQUEST, E.REPLACE_REQUEST, E.LOSE):
        assert next_state(S.UNKNOWN, event) in (S.UNKNOWN, IGNORED, IMPOSSIBLE)


@pytest.mark.parametrize(
    ("state", "event", "target"),
    [
        (S.NEW, E.SUBMIT, S.PENDING_NEW), (S.PENDING_NEW, E.ACCEPT, S.ACKNOWLEDGED), (S.PENDING_NEW, E.REJECT, S.REJECTED),
        (S.ACKNOWLEDGED, E.PARTIAL, S.PARTIAL_FILL), (S.PARTIAL_FILL, E.FILL, S.FILLED),
        (S.ACKNOWLEDGED, E.CANCEL_REQUEST, S.PENDING_CANCEL), (S.PENDING_CANCEL, E.CANCEL, S.CANCELED),
    ],
)  # fmt: skip
def test_transition_that_the_requirements_list_is_legal(state: S, event: E, target: S) -> None:
    assert next_state(state, event) is target or next_state(state, event) == target


def test_each_state_has_its_fix_ord_status() -> None:
    assert set(FIX_ORD_STATUS) == set(S)
    # FIX 4.4, tag 39; what only we know has none.
    assert {state: FIX_ORD_STATUS[state] for state in S if FIX_ORD_STATUS[state]} == {
        S.PENDING_NEW: "A", S.ACKNOWLEDGED: "0", S.TRIGGERED: "0", S.PARTIAL_FILL: "1", S.FILLED: "2", S.CANCELED: "4",
        S.PENDING_CANCEL: "6", S.REJECTED: "8", S.EXPIRED: "C", S.PENDING_REPLACE: "E",
    }  # fmt: skip


def test_numbers_of_states_and_events_are_part_of_the_journal_and_stay() -> None:
    assert [state.name for state in S][0::4] == ["NEW", "TRIGGERED", "PENDING_REPLACE", "UNKNOWN"]
    assert (int(S.UNKNOWN), int(E.LOSE), int(E.FILL), int(E.RESTATE), int(E.BUST)) == (12, 4, 9, 15, 17)
