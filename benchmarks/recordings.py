"""Rows of the journal: records appended, what recording costs a backtest, and how long a restart reads."""

from __future__ import annotations

from benchmarks import journal
from benchmarks.race import Setting
from benchmarks.report import Entry
from lockstep.model.errors import LockstepError

_QUICK_BARS, _QUICK_RECORDS = 20_000, 50_000


def journal_append(setting: Setting) -> list[Entry]:
    """Records a second appended without fsync: the decisions of a backtest, 4096 a call as the engine hands them on."""
    setting.say("journal_append")
    try:
        rows = journal.recorded_decisions(setting.bars_path, _QUICK_BARS if setting.quick else None)
        records = _QUICK_RECORDS if setting.quick else journal.RECORDS
        value, note = journal.append_rate(rows, records, repeat=setting.repeat), None
    except (LockstepError, OSError) as e:
        value, note = None, str(e)
    return [Entry("journal_append", value, "records/s", higher_is_better=True, limit=1_000_000, note=note)]


def recording_cost(setting: Setting) -> list[Entry]:
    """How much longer a backtest with an order on every bar takes when it is recorded, in percent of its time."""
    setting.say("recording_cost")
    try:
        limit = _QUICK_BARS if setting.quick else None
        part, decisions = journal.recording_cost(setting.bars_path, limit, setting.repeat)
        value, note = 100.0 * part, f"{decisions:,} decisions"
    except (LockstepError, OSError) as e:
        value, note = None, str(e)
    return [Entry("recording_cost", value, "%", higher_is_better=False, limit=40.0, note=note)]


def journal_restart(setting: Setting) -> list[Entry]:
    """Seconds to check and read a journal of a million decisions: all of them, and those after a snapshot."""
    setting.say("journal_restart")
    records = _QUICK_RECORDS if setting.quick else journal.RECORDS
    whole = short = None
    note: str | None = f"{records:,} records"
    try:
        rows = journal.recorded_decisions(setting.bars_path, _QUICK_BARS)
        whole, short = journal.restart_seconds(rows, records)
    except (LockstepError, OSError) as e:
        note = str(e)
    return [
        Entry("journal_restart", whole, "s", higher_is_better=False, limit=60.0, note=note),
        Entry("journal_restart_snapshot", short, "s", higher_is_better=False, limit=5.0, note=note),
    ]
