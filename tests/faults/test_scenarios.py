"""Named scenarios: what went wrong at others, and what goes wrong at venues, each played once by hand."""

import errno
from collections.abc import Callable

import pytest
from disk import FaultyFiles
from machine import SECOND
from stage import BUY, CANCEL, GROW, NOTHING, SELL, Stage
from venue_model import FEE_PER_UNIT, Word

from lockstep.model.enums import OrderEventKind as E
from lockstep.model.enums import OrderState as S
from lockstep.model.enums import Reason
from lockstep.model.errors import HaltError
from lockstep.run.session import Phase, open_session
from lockstep.store.journal.errors import JournalBusy, JournalFailed

# ---- what happened to others


def test_timeout_taken_for_failure_places_no_second_order(stage: Stage) -> None:
    # Hummingbot 493 and 6901: a request that timed out was sent again, and both were filled.
    order = stage.bought()
    stage.words.clear()  # the acknowledgement is lost
    stage.poll(2)
    assert stage.order().state is S.UNKNOWN
    stage.venue.fill(order, 5)
    stage.settle()
    assert stage.new_ids == [1]
    assert stage.order().state is S.FILLED
    stage.agree()


def test_not_found_at_first_drops_no_live_order(stage: Stage) -> None:
    # Hummingbot 601: asked too early, the venue did not know the order yet, and it was given up.
    stage.settle()
    stage.trade(BUY)
    stage.poll(1.2)
    stage.answer()  # the request is still under way
    assert stage.order().state is S.UNKNOWN
    stage.arrive()
    stage.settle()
    assert stage.order().state is S.ACKNOWLEDGED
    stage.agree()


def test_one_answer_without_the_order_after_the_window_is_not_enough(stage: Stage) -> None:
    stage.settle()
    stage.trade(BUY)
    stage.poll(3.5)
    stage.answer()
    assert stage.order().state is S.UNKNOWN
    stage.poll(0.5)
    stage.answer()
    assert stage.order().state is S.REJECTED
    assert stage.order().reason is Reason.UNKNOWN_ORDER


def test_trade_heard_on_two_feeds_counts_once(stage: Stage) -> None:
    # Hummingbot 1663.
    order = stage.bought()
    stage.venue.fill(order, 2)
    told = list(stage.words)
    stage.hear(*told)
    stage.hear(*told)
    stage.settle()
    assert stage.order().cum_units == 2
    stage.agree()


def test_order_thought_lost_that_fills_later_is_counted(stage: Stage) -> None:
    # Hummingbot 3374: six orders given up for lost were filled later.
    order = stage.bought()
    stage.words.clear()
    stage.poll(2)
    stage.venue.fill(order, 5)
    stage.hear()
    assert stage.order().state is S.FILLED
    assert stage.units == 5


def test_restart_with_an_open_entry_order_is_no_position(stage: Stage) -> None:
    # freqtrade 10436: after a restart an open entry order was read as a position.
    stage.bought()
    stage.hear()
    stage.crash()
    assert stage.units == 0
    stage.settle()
    assert stage.order().state is S.ACKNOWLEDGED
    stage.agree()


def test_order_without_any_answer_stays_unknown_and_reserved(stage: Stage) -> None:
    # Others call an order rejected after five tries without an answer.
    stage.settle()
    stage.trade(BUY)
    for _ in range(40):
        stage.poll(1)
    assert stage.order().state is S.UNKNOWN
    assert stage.session.engine.portfolio.holdings[0].pending_buy == 5


def test_commit_of_unknown_result_runs_once(stage: Stage) -> None:
    # FoundationDB: a commit whose result was unknown ran twice. Here: the process ends after the request has left.
    order = stage.bought()
    stage.venue.fill(order, 5)
    stage.crash()
    stage.settle()
    assert stage.new_ids == [1]
    assert stage.units == 5
    stage.agree()


# ---- what venues do


def test_fill_before_acknowledgement_is_taken(stage: Stage) -> None:
    order = stage.bought()
    acknowledged = stage.words.pop()
    stage.venue.fill(order, 2)
    stage.hear()
    stage.hear(acknowledged)
    assert (stage.order().state, stage.order().cum_units) == (S.PARTIAL_FILL, 2)


def test_acknowledgement_after_the_last_fill_changes_nothing(stage: Stage) -> None:
    order = stage.bought()
    acknowledged = stage.words.pop()
    stage.venue.fill(order, 5)
    stage.hear()
    stage.hear(acknowledged)
    assert stage.order().state is S.FILLED
    stage.agree()


def test_cancel_crossing_a_fill_ends_filled(stage: Stage) -> None:
    order = stage.bought()
    stage.hear()
    stage.trade(CANCEL)
    stage.venue.fill(order, 5)
    stage.arrive()
    stage.hear()
    assert stage.order().state is S.FILLED
    stage.agree()


def test_fill_after_cancel_is_booked(stage: Stage) -> None:
    order = stage.bought()
    stage.trade(CANCEL)
    stage.arrive()
    stage.hear()
    stage.venue.fill(order, 1)  # matched before, told after
    stage.hear()
    assert (stage.order().state, stage.units) == (S.CANCELED, 1)
    stage.agree()


@pytest.mark.parametrize("told", [True, False], ids=["told", "lost"])
def test_replace_crossing_a_fill_ends_in_the_venues_state(stage: Stage, told: bool) -> None:
    order = stage.bought()
    stage.hear()
    stage.trade(GROW)
    stage.venue.fill(order, 3)
    stage.arrive()
    if told:
        stage.hear()
    else:
        stage.words.clear()
    stage.settle()
    assert (stage.order().qty_units, stage.order().cum_units, stage.order().replace_units) == (8, 3, 0)
    stage.agree()


def test_replacement_that_never_arrives_leaves_the_order_as_it_was(stage: Stage) -> None:
    stage.bought()
    stage.hear()
    stage.trade(GROW)
    stage.settle()
    assert (stage.order().qty_units, stage.order().state) == (5, S.ACKNOWLEDGED)
    assert stage.session.engine.portfolio.holdings[0].pending_buy == 5


def test_unsolicited_cancel_ends_the_order(stage: Stage) -> None:
    order = stage.bought()
    stage.venue._end(order, "CANCELED", E.CANCEL)
    stage.hear()
    assert stage.order().state is S.CANCELED
    stage.agree()


def test_bust_and_correction_change_what_was_booked(stage: Stage) -> None:
    order = stage.bought()
    stage.venue.fill(order, 2)
    stage.venue.fill(order, 2)
    stage.venue._bust(order)
    stage.wait(1)
    stage.venue._correct(order)
    stage.hear()
    assert stage.units == 2
    stage.agree()


def test_bust_during_a_restart_is_found_by_asking(stage: Stage) -> None:
    order = stage.bought()
    stage.venue.fill(order, 5)
    stage.hear()
    stage.wait(0.1)
    stage.venue._bust(order)
    stage.crash()
    stage.settle()
    assert stage.units == 0
    stage.agree()


def test_execution_with_a_number_heard_before_counts_once(stage: Stage) -> None:
    order = stage.bought()
    stage.venue.fill(order, 2)
    fill = stage.words[-1]
    stage.hear()
    stage.crash()
    stage.hear(fill)
    stage.settle()
    assert stage.order().cum_units == 2


def test_client_order_id_is_never_used_again_after_a_restart(stage: Stage) -> None:
    stage.bought()
    stage.hear()
    stage.crash()
    stage.settle()
    stage.trade(SELL)
    stage.crash()
    stage.settle()
    stage.trade(SELL)
    assert stage.new_ids == [1, 2, 3]


def test_overfill_counts_and_suspends_the_instrument(stage: Stage) -> None:
    order = stage.bought()
    stage.venue.fill(order, 6)
    stage.hear()
    assert stage.units == 6
    assert stage.suspended
    stage.crash()
    stage.settle()
    assert stage.suspended
    stage.trade(BUY)
    assert stage.new_ids == [1]


def test_order_placed_by_hand_at_the_venue_suspends_the_instrument(stage: Stage) -> None:
    order = stage.bought()
    stage.hear()
    stranger = stage.venue.orders[99] = stage.venue.open[99] = type(order)(stage.sent[-1], 77)
    stranger.order_id = 99
    for _ in range(2):
        stage.poll(6)
        stage.answer()
    assert stage.suspended
    assert stage.cancelled_ids == []  # it is not ours to end


def test_position_changed_by_hand_suspends_and_is_not_traded_away(stage: Stage) -> None:
    # A split, an assignment, a transfer, a trade by telephone.
    stage.bought()
    stage.hear()
    sent = len(stage.sent)
    stage.venue.positions[0] += 3
    stage.poll(6)
    stage.answer()
    assert not stage.suspended  # one answer may have been overtaken
    stage.poll(6)
    stage.answer()
    assert stage.suspended
    assert len(stage.sent) == sent


def test_venue_restart_with_an_empty_book_ends_the_orders(stage: Stage) -> None:
    order = stage.bought()
    stage.hear()
    stage.session.on_disconnect(stage.now)
    stage.venue.restart(cancels_all=True)
    stage.trade(SELL)
    assert stage.new_ids == [1]  # nothing is sent before the venue has told
    stage.settle()
    assert stage.order(order.order_id).state is S.CANCELED
    stage.agree()


def test_venue_restart_with_its_sequence_numbers_reset_costs_nothing(stage: Stage) -> None:
    order = stage.bought()
    stage.venue.fill(order, 2)
    stage.words.clear()
    stage.session.on_disconnect(stage.now)
    stage.settle()
    assert stage.order().cum_units == 2
    stage.agree()


def test_answer_to_an_older_question_is_passed_over(stage: Stage) -> None:
    stage.bought()
    stage.hear()
    stage.poll(6)
    old = stage.venue.answer(stage.asked[-1], stage.now)
    stage.poll(6)
    before = stage.hash
    stage.session.on_answer(old, stage.now)
    assert stage.hash == before


# ---- the machine


def test_clock_that_goes_back_moves_nothing_back(stage: Stage) -> None:
    stage.settle()
    stage.wait(3600)
    stage.trade(NOTHING)
    clock = stage.session.engine.state.clock
    stage.now -= 3600 * SECOND
    stage.trade(BUY)
    assert stage.session.engine.state.clock == clock
    assert stage.new_ids == [1]
    stage.crash()
    stage.settle()


def test_suspend_of_ten_minutes_asks_before_it_believes(stage: Stage) -> None:
    order = stage.bought()
    stage.hear()
    stage.venue.fill(order, 5)
    stage.words.clear()
    asked = len(stage.asked)
    stage.poll(600)
    assert len(stage.asked) == asked + 1
    stage.answer()
    assert stage.order().state is S.FILLED
    stage.agree()


def test_connection_that_fails_while_sending_leaves_the_order_unknown(stage: Stage) -> None:
    stage.settle()
    stage.failing = True
    stage.trade(BUY)
    stage.failing = False
    stage.poll()
    assert stage.order().state is S.UNKNOWN
    stage.arrive()  # it had left all the same
    stage.settle()
    assert stage.new_ids == [1]
    stage.agree()


def test_second_process_on_one_journal_is_refused(stage: Stage) -> None:
    with pytest.raises(JournalBusy, match="is writing this journal"):
        open_session(stage.folder, {"of": "a scenario"}, stage.build, stage, clock=stage.now)


class _Switch:
    """Faults of the disk, switched by hand."""

    def __init__(self) -> None:
        self.on: dict[str, tuple[str, int]] = {}

    def __call__(self, seam: str) -> tuple[str, int] | None:
        return self.on.get(seam)


def test_full_disk_refuses_new_orders_and_lets_cancels_and_the_kill_switch_through(
    make_stage: Callable[..., Stage],
) -> None:
    switch = _Switch()
    disk = FaultyFiles(switch)
    stage = make_stage(files=disk)
    stage.bought()
    stage.hear()
    disk.full = True
    stage.trade(BUY)
    stage.trade(NOTHING)  # the refusal is heard with the next event
    assert stage.session.full
    assert stage.new_ids == [1]
    assert (stage.order(2).state, stage.order(2).reason) == (S.REJECTED, Reason.NOT_SENT)
    assert not stage.act("kill")  # done, and not safe from a restart
    assert stage.cancelled_ids == [1]
    disk.full = False
    stage.act("reset")
    stage.trade(BUY)
    assert not stage.session.full
    assert stage.new_ids == [1, 3]
    before = stage.hash
    stage.session.writer.sync()
    stage.session.writer._release()
    assert stage.open().halted is False
    assert stage.order(2).state is S.REJECTED
    assert before != stage.hash  # order 3 is unknown until the venue tells


def test_fsync_error_ends_sending_in_the_same_call(make_stage: Callable[..., Stage]) -> None:
    switch = _Switch()
    stage = make_stage(files=FaultyFiles(switch))
    stage.settle()
    switch.on["sync"] = ("eio", 0)
    with pytest.raises(JournalFailed, match="fsync failed"):
        stage.trade(BUY)
    assert stage.sent == []
    assert stage.session.phase is Phase.ENDED
    switch.on.clear()
    with pytest.raises(HaltError, match="has ended"):
        stage.trade(BUY)
    stage.crash()
    stage.settle()
    assert stage.sent == []


def test_read_only_disk_ends_sending(make_stage: Callable[..., Stage]) -> None:
    class ReadOnly(FaultyFiles):
        def write(self, number: int, data: memoryview) -> int:
            if self.full:
                raise OSError(errno.EROFS, "read-only file system")
            return super().write(number, data)

    disk = ReadOnly(_Switch())
    stage = make_stage(files=disk)
    stage.settle()
    disk.full = True
    with pytest.raises(JournalFailed):
        stage.trade(BUY)
    assert stage.sent == []


def test_process_that_ends_between_journal_and_wire_sends_nothing_later(stage: Stage) -> None:
    stage.settle()

    def end(request: object) -> None:
        raise KeyboardInterrupt

    stage.send = end  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        stage.trade(BUY)
    del stage.send
    stage.crash()
    assert stage.order().state is S.UNKNOWN
    stage.settle()
    assert stage.sent == []
    assert (stage.order().state, stage.order().reason) == (S.REJECTED, Reason.UNKNOWN_ORDER)
    stage.agree()


def test_kill_switch_survives_a_restart_and_cancels_once_the_venue_has_told(stage: Stage) -> None:
    stage.bought()
    stage.hear()
    stage.session.on_disconnect(stage.now)
    assert stage.act("kill")
    assert stage.cancelled_ids == []
    stage.crash()
    assert stage.session.halted
    stage.settle()
    stage.poll()
    assert stage.cancelled_ids == [1]
    stage.arrive()
    stage.hear()
    stage.trade(BUY)
    assert stage.new_ids == [1]
    assert stage.act("reset")
    stage.trade(BUY)
    assert len(stage.new_ids) == 2


def test_foreign_execution_is_not_booked_as_ours(stage: Stage) -> None:
    stage.bought()
    stage.hear(Word(int(E.FILL), 0, stage.now, 4711, 9, 0, 55, 0, 3, 100, 3 * FEE_PER_UNIT))
    assert stage.units == 0
    assert stage.suspended
