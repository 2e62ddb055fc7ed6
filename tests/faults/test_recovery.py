"""Recovery of a session: every prefix of its journal, twice, with and without snapshots, and what it refuses."""

import shutil
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from machine import coin
from stage import BUY, CANCEL, GROW, IDENTITY, NOTHING, PATIENCE, SELL, Obedient, Stage

from lockstep.engine.engine import Engine
from lockstep.engine.rowlog import Sink
from lockstep.model.enums import OrderState as S
from lockstep.model.enums import Reason
from lockstep.model.errors import RefuseError, StateError, UsageError
from lockstep.portfolio.portfolio import Portfolio
from lockstep.risk.limits import RiskLimits, SymbolLimits
from lockstep.run.inputs import SessionAct, report_fact, report_of
from lockstep.run.recovery import ReplayDiffers, replay, state_hash
from lockstep.run.session import Phase, Session, open_session
from lockstep.store.journal.errors import DamagedJournal
from lockstep.store.journal.layout import RecordKind
from lockstep.store.journal.reader import Journal
from lockstep.store.journal.snapshots import snapshot_paths


def _trade_a_little(stage: Stage) -> None:
    """Orders in many states, and a second run of the process."""
    order = stage.bought()
    stage.venue.fill(order, 2)
    stage.hear()
    stage.trade(SELL)
    stage.arrive()
    stage.venue.fill(stage.venue.orders[2], 5)
    stage.hear()
    stage.trade(GROW)
    stage.crash()
    stage.settle()
    stage.trade(CANCEL)
    stage.arrive()
    stage.wait(1)
    stage.venue._bust(order)
    stage.hear()
    stage.act("suspend", instrument=0)
    stage.trade(BUY)
    stage.act("kill")


def test_recovery_of_every_prefix_equals_the_state_that_lived_then(stage: Stage) -> None:
    stage.settle()
    lived: dict[int, str] = {}
    for price in (BUY, NOTHING, GROW, SELL, CANCEL, BUY, NOTHING):
        stage.trade(price)
        if stage.sent:
            stage.arrive()
        lived[stage.session.writer.appended] = stage.hash
        stage.hear()
        lived[stage.session.writer.appended] = stage.hash
        stage.poll(2)
        lived[stage.session.writer.appended] = stage.hash
    stage.session.writer.flush()
    for sequence, hashed in lived.items():
        again = replay(stage.folder, stage.build, until=sequence)
        assert state_hash(again.engine, again.state) == hashed, f"after record {sequence}"
    assert len(lived) > 10


def test_recovery_twice_is_recovery_once_wherever_the_journal_ends(stage: Stage, tmp_path: Path) -> None:
    _trade_a_little(stage)
    stage.session.writer.flush()
    whole = (stage.folder / "00000001.journal").read_bytes()
    ends = [block.offset for block in Journal(stage.folder).blocks()] + [len(whole)]
    for end in ends[1:]:
        folder = tmp_path / "cut" / "journal"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "00000001.journal").write_bytes(whole[:end])
        first = _open_and_end(stage, folder)
        assert _open_and_end(stage, folder) == first, f"cut at byte {end}"


def _open_and_end(stage: Stage, folder: Path) -> str:
    session = open_session(
        folder, IDENTITY, stage.build, stage, clock=stage.now, durability="durable", patience=PATIENCE
    )
    found = state_hash(session.engine, session.state)
    session.writer.flush()
    session.writer._release()
    return found


def test_recovery_cut_inside_any_block_gives_what_stands_before_it(stage: Stage, tmp_path: Path) -> None:
    _trade_a_little(stage)
    stage.session.writer.flush()
    whole = (stage.folder / "00000001.journal").read_bytes()
    folder = tmp_path / "cut"
    folder.mkdir()
    for end in range(129, len(whole), 97):
        (folder / "00000001.journal").write_bytes(whole[:end])
        replay(folder, stage.build)  # the torn block is not there, and nothing before it is in doubt


def test_snapshot_and_tail_equal_the_whole_replay(stage: Stage) -> None:
    stage.bought()
    stage.hear()
    assert stage.session.snapshot()
    stage.trade(GROW)
    stage.trade(SELL)
    stage.session.writer.flush()
    tail, whole = (replay(stage.folder, stage.build, snapshots=with_them) for with_them in (True, False))
    assert tail.replayed < whole.replayed
    assert state_hash(tail.engine, tail.state) == state_hash(whole.engine, whole.state) == stage.hash


def test_damaged_snapshot_is_passed_over_for_the_journal(stage: Stage) -> None:
    stage.bought()
    stage.hear()
    stage.session.snapshot()
    stage.session.writer.flush()
    before = stage.hash
    path = snapshot_paths(stage.folder)[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    again = replay(stage.folder, stage.build)
    assert len(again.skipped) == 1
    assert state_hash(again.engine, again.state) == before


def test_damaged_middle_stops_the_start_and_names_the_place(stage: Stage) -> None:
    _trade_a_little(stage)
    stage.session.close()
    path = stage.folder / "00000001.journal"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedJournal, match="block"):
        stage.open()


class _Otherwise(Obedient):
    def on_trade(self, trade: Any) -> None:
        if int(trade.price) == SELL:
            self.sell(4, limit=100)
        else:
            super().on_trade(trade)


def test_other_strategy_is_refused_with_the_first_decision_that_differs(stage: Stage) -> None:
    stage.bought()
    stage.trade(SELL)
    stage.session.close()

    def build(sink: Sink) -> Engine:
        engine = Engine(Portfolio([coin()], 1_000_000), decision_sinks=[sink])
        engine.add_strategy(_Otherwise(), "s", [0])
        return engine

    with pytest.raises(ReplayDiffers, match="the journal has submit of 2 .* the replay gives submit of 2") as caught:
        open_session(stage.folder, IDENTITY, build, stage, clock=stage.now)
    record = next(r for r in Journal(stage.folder).records() if r.sequence == caught.value.sequence)
    assert record.kind == RecordKind.DECISION


def test_journal_of_another_run_is_refused(stage: Stage) -> None:
    stage.session.close()
    with pytest.raises(StateError, match="of another run"):
        open_session(stage.folder, {"of": "another"}, stage.build, stage, clock=stage.now)


def test_decisions_of_the_last_input_that_were_not_kept_are_made_again(make_stage: Any) -> None:
    stage = make_stage(mode="relaxed")
    stage.settle()
    stage.session.writer.flush()
    stage.send = lambda request: (_ for _ in ()).throw(KeyboardInterrupt)
    real, stage.session.writer.append_decisions = stage.session.writer.append_decisions, lambda rows: 0
    with pytest.raises(KeyboardInterrupt):
        stage.trade(BUY)  # the event reached the disk, what it led to did not, and nothing left
    stage.session.writer.append_decisions = real
    del stage.send
    stage.crash()
    assert stage.order() is not None
    stage.settle()
    assert stage.sent == []
    stage.session.writer.flush()
    assert len(replay(stage.folder, stage.build).unwritten) == 0


class Raising(Obedient):
    """Fails in the middle of what it does, every time it meets the price."""

    def on_trade(self, trade: Any) -> None:
        super().on_trade(trade)
        if int(trade.price) == SELL:
            raise ZeroDivisionError("the strategy's own")


class Faulty(Stage):
    """A session of `Raising`."""

    trader = Raising


def test_handler_that_raises_fires_the_kill_switch_and_ends_the_session(make_stage: Any) -> None:
    stage = make_stage(Faulty)
    stage.bought()
    stage.hear()
    with pytest.raises(ZeroDivisionError):
        stage.trade(SELL)
    assert stage.new_ids == [1]  # what the failed step wanted stays here,
    assert stage.cancelled_ids == [1]  # and what works is cancelled
    assert (stage.session.phase, stage.session.halted) == (Phase.ENDED, True)
    stage.arrive()
    stage.crash()
    assert stage.session.halted
    (act,) = stage.session.engine.state.desk.acts
    assert (act.rule, act.who, act.why) == ("system_error", "system", "ZeroDivisionError: the strategy's own")
    stage.settle()
    assert stage.order(1).state is S.CANCELED
    assert (stage.order(2).state, stage.order(2).reason) == (S.REJECTED, Reason.UNKNOWN_ORDER)
    stage.trade(BUY)
    assert stage.new_ids == [1]
    stage.agree()


class Leaving(Obedient):
    """Asks the interpreter to end in a handler."""

    def on_trade(self, trade: Any) -> None:
        super().on_trade(trade)
        if int(trade.price) == SELL:
            sys.exit("enough")


class Left(Stage):
    """A session of `Leaving`."""

    trader = Leaving


def test_handler_that_exits_leaves_no_order_working_and_the_session_opens_again(make_stage: Any) -> None:
    stage = make_stage(Left)
    stage.bought()
    stage.hear()
    with pytest.raises(SystemExit):
        stage.trade(SELL)
    assert (stage.new_ids, stage.cancelled_ids) == ([1], [1])
    stage.arrive()
    stage.crash()
    assert stage.session.halted
    stage.settle()
    assert stage.order(1).state is S.CANCELED


def test_process_that_ends_before_the_switch_is_in_the_journal_fires_it_when_opened_again(
    make_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_stage(Faulty)
    stage.bought()
    stage.hear()
    with monkeypatch.context() as patch:
        patch.setattr(Session, "_fail", lambda self, _error: self.writer.flush())
        with pytest.raises(ZeroDivisionError):
            stage.trade(SELL)
    assert stage.cancelled_ids == []
    stage.crash()
    assert stage.session.halted
    stage.settle()
    stage.poll()
    assert stage.cancelled_ids == [1]
    stage.arrive()
    stage.hear()
    assert stage.order(1).state is S.CANCELED
    stage.agree()


class Raises(Obedient):
    """Fails with `error` at NOTHING, or when it hears of an ACCEPT."""

    error: Any = KeyError("the strategy's own")
    at = "trade"

    def on_trade(self, trade: Any) -> None:
        super().on_trade(trade)
        if self.at == "trade" and int(trade.price) == NOTHING:
            raise self.error if isinstance(self.error, Exception) else type(self).error()

    def on_order(self, event: Any) -> None:
        super().on_order(event)
        if self.at == "order" and event.kind.name == "ACCEPT":
            raise self.error


def _raising(failing_at: str, raised: Any) -> type[Stage]:
    class Failing(Raises):
        at, error = failing_at, raised

    class Played(Stage):
        trader = Failing

    return Played


OWN = [ZeroDivisionError("own"), KeyError("own"), ValueError("own"), TypeError("own"), StateError("own")]


@pytest.mark.parametrize("error", OWN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("at", ["trade", "order"])
def test_session_whose_handler_raised_opens_again_whatever_it_raised_and_where(
    make_stage: Any, at: str, error: Exception
) -> None:
    stage = make_stage(_raising(at, error))
    stage.bought()
    if at == "trade":
        stage.hear()
    with pytest.raises(type(error), match="own"):
        stage.hear() if at == "order" else stage.trade(NOTHING)
    assert stage.cancelled_ids == [1]
    stage.arrive()
    stage.crash()  # what failed once is not handed to the handler again
    assert stage.session.snapshot()
    stage.settle()
    assert stage.order(1).state is S.CANCELED
    stage.agree()


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (lambda: ValueError(f"of {object()}"), "ValueError: of <object object at"),  # another address in each process
        (lambda: ValueError("x" * 2_000_000), "(2,000,000 characters)"),
        (lambda: ValueError("caf\udce9"), "ValueError: caf\\udce9"),  # a file name that is no UTF-8
        (_Unspeakable, "_Unspeakable: its text cannot be made: RuntimeError"),
    ],
    ids=["address", "long", "surrogate", "unspeakable"],
)
def test_kill_switch_fires_whatever_the_text_of_the_error_is(make_stage: Any, error: Any, kept: str) -> None:
    stage = make_stage(_raising("trade", error))
    stage.bought()
    stage.hear()
    with pytest.raises((ValueError, _Unspeakable)):
        stage.trade(NOTHING)
    assert stage.cancelled_ids == [1]
    stage.arrive()
    stage.crash()
    (act,) = stage.session.engine.state.desk.acts
    assert kept in act.why
    stage.settle()
    stage.agree()


def test_error_that_was_none_then_stops_the_replay(make_stage: Any) -> None:
    stage = make_stage()
    stage.settle()
    stage.trade(SELL)
    stage.trade(NOTHING)
    stage.session.writer.flush()
    stage.trader = Raising
    with pytest.raises(ReplayDiffers, match="fails before it with ZeroDivisionError: the strategy's own"):
        replay(stage.folder, stage.build)


def test_second_error_while_the_switch_is_fired_hides_neither(make_stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = make_stage(Faulty)
    stage.settle()

    def full(*_given: object) -> None:
        raise OSError("no bus")

    monkeypatch.setattr(Session, "_halt", full)
    with pytest.raises(ZeroDivisionError) as caught:
        stage.trade(SELL)
    assert "the kill switch failed too: OSError: no bus" in caught.value.__notes__[0]
    assert stage.session.phase is Phase.ENDED


def test_limits_changed_in_a_session_outlive_it(stage: Stage) -> None:
    stage.settle()
    assert stage.act("limits", limits=RiskLimits(order_qty_max=Decimal(4)))
    stage.trade(BUY)
    assert stage.new_ids == []
    stage.crash()
    stage.settle()
    stage.trade(BUY)
    assert stage.new_ids == []
    (act,) = stage.session.engine.state.desk.acts
    assert (act.rule, act.who, act.why) == ("limits", "trader", "a test")
    stage.act("limits", limits=RiskLimits(), by="ann")
    stage.trade(BUY)
    assert len(stage.new_ids) == 1
    assert stage.session.engine.state.desk.acts[-1].who == "ann"
    with pytest.raises(UsageError, match="the run has no such symbol"):
        stage.act("limits", limits=RiskLimits(symbols={"ZZZ": SymbolLimits()}))
    with pytest.raises(UsageError, match="nothing to reset"):
        stage.act("reset")


@pytest.mark.parametrize(
    ("what", "about"),
    [
        ("cancel", {}),
        ("lose", {}),
        ("cancel", {"order_id": -1}),
        ("suspend", {"instrument": 1}),
        ("suspend", {"instrument": -1}),
        ("lift", {"instrument": 7}),
        ("kill", {"by": "\udce9"}),
    ],
)
def test_act_about_nothing_there_is_is_refused_and_the_session_goes_on(
    stage: Stage, what: str, about: dict[str, Any]
) -> None:
    stage.settle()
    before = stage.session.writer.appended
    with pytest.raises((RefuseError, UsageError, StateError)):
        stage.act(what, **about)
    assert (stage.session.phase, stage.session.halted) == (Phase.LIVE, False)
    assert stage.session.writer.appended == before


def test_act_by_a_name_of_blanks_is_by_who_it_was(stage: Stage) -> None:
    stage.settle()
    stage.act("kill", by=" ")
    assert stage.session.engine.state.desk.acts[-1].who == "trader"


def test_act_that_is_none_is_refused() -> None:
    with pytest.raises(StateError, match="acts are cancel, lose"):
        SessionAct(what="explode", who="TRADER", why="")
    with pytest.raises(StateError, match="by STRATEGY, SYSTEM"):
        SessionAct(what="kill", who="somebody", why="")
    with pytest.raises(StateError, match="no limits"):
        SessionAct(what="limits", who="TRADER", why="calm")
    with pytest.raises(StateError, match="has no reason"):
        SessionAct(what="kill", who="TRADER", why=" ")


def test_report_with_a_fee_beyond_64_bits_comes_back(stage: Stage) -> None:
    order = stage.bought()
    stage.venue.fill(order, 2)
    report = stage.words[-1]._replace(fee=2**70).report(stage.now)
    again = report_of(report_fact(report))
    assert again.fee == 2**70
    assert report_fact(again) == report_fact(report)
