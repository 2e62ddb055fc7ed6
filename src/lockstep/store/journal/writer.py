"""Appending to a journal, by one writer, in one of two durability modes.

    relaxed   a block goes to the operating system when it is full, when a second has passed, or by `flush`. A killed
              process loses what it still held; a power cut loses what the system still held.
    durable   an append returns once its records are on the disk (fsync). `group` commits several appends at once.

An append is in the journal whole or not at all. Where there is no room, it raises `JournalFull`, nothing of it is in the
file, and it may be tried again. Where the disk refuses to write or to keep, it raises `JournalFailed`: that writer has ended.
"""

import errno
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, SupportsIndex

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockstep._version import __version__
from lockstep.model.arguments import whole
from lockstep.model.errors import InvariantError, StateError
from lockstep.model.record import Records, words
from lockstep.store.journal import layout
from lockstep.store.journal.errors import JournalFailed, JournalFull, TornJournal
from lockstep.store.journal.files import FULL, Files, WriterLock
from lockstep.store.journal.layout import BlockHead, RecordKind, SegmentHead
from lockstep.store.journal.packing import HEAD_WORDS, BlockBuffer
from lockstep.store.journal.reader import Journal, TornTail
from lockstep.store.journal.snapshots import SNAPSHOTS_KEPT, Snapshot, remove_old, write_snapshot

SEGMENT_BYTES = 256 * 2**20
FLUSH_SECONDS = 1.0
_INT64 = (-(2**63), 2**63 - 1)
_FACT = int(RecordKind.FACT)
_ROW_TYPE, _WORD_TYPE = np.dtype(np.int64), np.dtype(np.uint64)


class Durability(Enum):
    """What an append promises when it returns."""

    RELAXED = "relaxed"
    DURABLE = "durable"


class _Mark(NamedTuple):
    """Where the file and the block stand, to come back to."""

    buffer: tuple[int, ...]
    offset: int
    block: int
    chain: bytes


class JournalWriter:
    """Appends to the journal in a folder, which is made if there is none: `with JournalWriter(folder, identity) as journal`.

    Args:   identity: of the run, plain data; the same one must be given to go on with a journal.
            ts: the engine's clock at the opening, ns UTC; by default that of the last record, 0 in a new journal.
            segment_bytes: a new segment is begun between appends once one is so long.
            flush_seconds: relaxed alone; None for full blocks only, so that the same appends give the same bytes.
            set_torn_aside: permission to cut off a torn tail, which is kept in a file beside the segment.
    Raises: JournalBusy: another writer holds the folder. StateError: the journal is of another run. TornJournal: a torn
            tail and no permission. DamagedJournal: what was written before does not check, all of which is read.

    Attributes (read-only): `appended`, sequence of the last record taken; `committed`, of the last one that is as safe as
    the mode says.
    """

    def __init__(
        self,
        folder: Path,
        identity: Mapping[str, Any],
        *,
        durability: Durability | str = Durability.RELAXED,
        ts: int | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        flush_seconds: float | None = FLUSH_SECONDS,
        set_torn_aside: bool = False,
        files: Files | None = None,
    ) -> None:
        self.folder = folder
        self.durability = Durability(durability)
        self._files = files or Files()
        self._segment_bytes = segment_bytes
        self._flush_seconds = flush_seconds if self.durability is Durability.RELAXED else None
        self._identity = layout.identity_digest(identity)
        self._number: int | None = None  # the open file
        self._segment, self._block, self._offset, self._chain = 0, 0, 0, layout.NO_HASH
        self._buffer = _buffer(0, _INT64[0])
        self.committed = 0
        self._failure: JournalFailed | None = None
        self._closed = False
        self._group: _Mark | None = None
        self._group_broken = False
        self._half_done = False  # the file may hold what the fields here do not tell yet
        self._make_folder()
        self._lock = WriterLock(folder).__enter__()
        try:
            opened: dict[str, Any] = {"type": "JournalOpened"}
            if not layout.segment_paths(folder):
                self._next_segment()
            else:
                self._go_on(set_torn_aside)
            if self.appended == 0:
                opened["identity"] = identity
                ts = 0 if ts is None else ts
            opened |= {"durability": self.durability.value, "lockstep": __version__}
            self._flushed_at = time.monotonic()
            self.append_fact(opened, ts=ts)
        except BaseException:
            self._release()
            raise

    @property
    def appended(self) -> int:
        """Sequence of the last record taken."""
        return self._buffer.sequence

    @property
    def clock(self) -> int:
        """ts of the last record taken, ns UTC: no record may lie before it."""
        return self._buffer.clock()

    # ---- appending

    def append_decisions(self, rows: NDArray[np.int64]) -> int:
        """Rows of the engine's decision log, int64 [n, 8], one record each. Returns: the sequence of the last.

        Raises: JournalFull, JournalFailed. InvariantError: ts goes back, or the journal is closed.
        """
        return self._append_rows(RecordKind.DECISION, rows)

    def append_market(self, records: Records) -> int:
        """Market event records, MARKET_EVENT [n], one record each. Returns, Raises: as `append_decisions`."""
        return self._append_rows(RecordKind.MARKET, words(records))

    def append_fact(
        self, fact: msgspec.Struct | Mapping[str, Any], *, ts: SupportsIndex | None = None, ts_event: SupportsIndex = 0
    ) -> int:
        """A rare record: a tagged struct, or a map with a text `type`.

        Args:   ts: of the engine's clock, by default that of the record before. ts_event: 0 where there is none.
        Raises: as `append_decisions`; StateError: no type, more than 1 MiB, or not plain data.
        """
        data = _fact_bytes(fact)
        at = self.clock if ts is None else whole("ts", ts, *_INT64)
        event = whole("ts_event", ts_event, *_INT64)
        self._refuse_backwards(at)
        size = layout.FACT_HEAD_BYTES + len(data)
        payload = at.to_bytes(8, "little", signed=True) + event.to_bytes(8, "little", signed=True) + data
        record = memoryview(payload + bytes(-size % layout.WORD)).cast("Q")
        mark = self._start(len(record) + 1)
        try:
            if not self._buffer.add(_FACT, size, record):  # inside a group
                self._write_block()
                self._buffer.add(_FACT, size, record)
            self._finish()
        except JournalFull:
            self._take_back(mark)
            raise
        return self.appended

    def _append_rows(self, kind: RecordKind, rows: NDArray[np.int64]) -> int:
        width = layout.FIXED_WORDS[kind]
        if rows.dtype != _ROW_TYPE or rows.ndim != 2 or rows.shape[1] != width:
            raise InvariantError(f"a {kind.name} record is {width} words of int64: was {rows.dtype} {list(rows.shape)}")
        self._refuse_closed()
        if not len(rows):
            return self.appended
        view = memoryview(np.ascontiguousarray(rows).view(_WORD_TYPE))  # type: ignore[arg-type]
        back = self._buffer.first_backwards(view)
        if back >= 0:
            before = int(rows[back - 1, 0]) if back else self.clock
            raise InvariantError(f"journal time goes back at row {back}: ts is {int(rows[back, 0])}, after {before}")
        mark = self._start(len(rows) * (width + 1))
        try:
            done = self._buffer.add_rows(int(kind), view, 0)
            while done < len(rows):
                self._write_block()
                done += self._buffer.add_rows(int(kind), view, done)
            self._finish()
        except JournalFull:
            self._take_back(mark)
            raise
        return self.appended

    @contextmanager
    def group(self) -> Iterator[None]:
        """Appends inside are committed together at the end: one fsync, all of them or none. Relaxed: as without.

        Sequences given inside count as appended, not as committed. A `JournalFull` inside takes back the whole group.
        """
        self._refuse_closed()
        if self.durability is Durability.RELAXED or self._group is not None:
            yield
            return
        self._rotate_if_long()
        self._group, self._group_broken = self._mark(), False
        try:
            yield
        finally:
            mark, self._group = self._group, None
            if not self._group_broken and self._failure is None:
                try:
                    self._finish()
                except JournalFull:
                    self._take_back(mark)
                    raise

    def flush(self) -> None:
        """Hand what is held to the operating system.

        Raises: JournalFull: it is still held. JournalFailed. InvariantError: inside a group, which ends as a whole.
        """
        self._refuse_closed()
        self._refuse_inside_group("flushed")
        self._write_block()

    def flush_if_due(self) -> None:
        """`flush`, if `flush_seconds` have passed since the last one: for a loop that may be idle."""
        if self._flush_seconds is not None and time.monotonic() - self._flushed_at >= self._flush_seconds:
            self.flush()

    def sync(self) -> None:
        """Everything appended is on the disk, in either mode. Raises: JournalFull, JournalFailed."""
        self.flush()
        self._sync()

    def snapshot(self, state: bytes, *, keep: int = SNAPSHOTS_KEPT) -> Path:
        """Put the state after the last record beside the journal, and note its hash in the journal.

        The journal is on the disk before the snapshot is: none names a record that could be lost.
        Args:   keep: how many snapshots stay, the oldest go. Raises: JournalFull, JournalFailed.
        """
        self.sync()
        taken = Snapshot(self.appended, self.clock, self._identity, self._chain, state)
        try:
            path = write_snapshot(self.folder, taken, self._files)
        except OSError as e:
            raise self._cannot(e, "a snapshot could not be written") from e
        self.append_fact(
            {"type": "SnapshotTaken", "sequence": taken.sequence, "state_hash": layout.digest(state).hex()}
        )
        remove_old(self.folder, keep)
        return path

    def close(self, reason: str = "") -> None:
        """Note the end, put everything on the disk and give the folder back. Closing twice is closing once.

        Raises: JournalFull, JournalFailed: the folder is given back all the same, and the journal ends before the note.
        """
        if self._closed:
            return
        self._refuse_inside_group("closed")
        try:
            if self._failure is None:
                self.append_fact({"type": "JournalClosed", "reason": reason})
                self.sync()
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an exception what is held is written, but no end is noted: `verify` says that it was not closed."""
        if error is None:
            self.close()
            return
        try:
            if not self._closed and self._failure is None:
                with suppress(JournalFull, JournalFailed):  # the first failure is the one to tell
                    self.sync()
        finally:
            self._release()

    # ---- one append

    def _refuse_closed(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise InvariantError(f"{self.folder}: append after close")
        if self._group is not None and self._group_broken:
            raise InvariantError(f"{self.folder}: append to a group that was taken back")

    def _refuse_inside_group(self, what: str) -> None:
        if self._group is not None:
            raise InvariantError(
                f"{self.folder}: a journal cannot be {what} inside a group: what it holds is not committed yet"
            )

    def _refuse_backwards(self, ts: int) -> None:
        self._refuse_closed()
        if ts < self.clock:
            raise InvariantError(f"journal time goes back: ts is {ts}, after {self.clock}")

    def _start(self, needed_words: int) -> _Mark:
        """Room for an append, and the place to come back to. Raises: JournalFull: the append has not begun."""
        if self._group is not None:
            return self._group
        self.flush_if_due()
        self._rotate_if_long()
        if not self._buffer.fits(needed_words):
            self._write_block()  # what was appended before is not part of what may be taken back
        return self._mark()

    def _finish(self) -> None:
        if self._group is None and self.durability is Durability.DURABLE:
            self._write_block()
            self._sync()

    def _mark(self) -> _Mark:
        return _Mark(self._buffer.mark(), self._offset, self._block, self._chain)

    def _take_back(self, mark: _Mark) -> None:
        self._group_broken = True
        self._half_done = True
        if self._offset != mark.offset:
            self._cut(mark.offset)
        self._buffer.restore(mark.buffer)
        self._offset, self._block, self._chain = mark.offset, mark.block, mark.chain
        self.committed = min(self.committed, self.appended)
        self._half_done = False

    # ---- the file

    def _write_block(self) -> None:
        """Close the block and hand it to the operating system, whole; or leave it held, and the file as it was."""
        if self._half_done:  # an interrupt fell between a write and the note of it: writing on could write twice
            raise self._fail(InterruptedError(errno.EINTR, "interrupted"), "a write was not seen to its end")
        buffer = self._buffer
        self._flushed_at = time.monotonic()
        if not buffer.count:
            return
        end = buffer.used * layout.WORD
        first = buffer.sequence - buffer.count + 1
        size = end - HEAD_WORDS * layout.WORD
        head = layout.pack_block_head(BlockHead(self._block + 1, first, buffer.count, size, self._chain))
        buffer.raw[: layout.BLOCK_HEAD_BYTES] = head
        hashed = layout.digest(buffer.raw[:end])
        buffer.raw[end : end + layout.HASH_BYTES] = hashed
        self._half_done = True
        try:
            self._files.write_all(self._open_file(), buffer.raw[: end + layout.HASH_BYTES])
        except OSError as e:
            self._cut(self._offset)
            self._half_done = False
            raise self._cannot(e, "a block could not be written") from e
        self._offset += end + layout.HASH_BYTES
        self._block += 1
        self._chain = hashed
        buffer.clear()
        self._half_done = False
        if self.durability is Durability.RELAXED:
            self.committed = self.appended

    def _sync(self) -> None:
        try:
            self._files.sync(self._open_file())
        except OSError as e:
            raise self._fail(e, "fsync failed") from e
        self.committed = self.appended

    def _cut(self, size: int) -> None:
        """Take back what a failed write may have left. Raises: JournalFailed: not even that is possible."""
        try:
            self._files.truncate(self._open_file(), size)
            if self.durability is Durability.DURABLE:  # what was refused must not come back with the power
                self._files.sync(self._open_file())
        except OSError as e:
            raise self._fail(e, "what a failed write left could not be taken back") from e

    def _cannot(self, error: OSError, what: str) -> JournalFull | JournalFailed:
        if error.errno not in FULL:
            return self._fail(error, what)
        return JournalFull(
            f"{self.folder}: {what}: {_words_of(error)}; the journal is whole up to record {self.committed}",
            hint="free some space; appending then works again",
        )

    def _fail(self, error: OSError, what: str) -> JournalFailed:
        safe = "on the disk" if self.durability is Durability.DURABLE else "with the operating system"
        self._failure = JournalFailed(
            f"{self.folder}: {what}: {_words_of(error)}; records up to {self.committed} are {safe}, of later ones nothing is certain",
            hint="end the process; after a restart the journal says what is there",
        )
        self._close_file()
        return self._failure

    def _open_file(self) -> int:
        if self._number is None:
            raise InvariantError(f"{self.folder}: the journal has no open segment")
        return self._number

    def _close_file(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            with suppress(OSError):  # what matters was synced, or has failed already
                self._files.close(number)

    def _release(self) -> None:
        self._closed = True
        self._close_file()
        self._lock.__exit__(None, None, None)

    # ---- segments

    def _make_folder(self) -> None:
        """The folder, and its name in the one above it, on the disk: fsync of a file does not keep the way to it."""
        missing = [each for each in (self.folder, *self.folder.parents) if not each.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for each in missing:
                self._files.sync_folder(each.parent)
        except OSError as e:
            raise self._fail(e, "a new folder could not be kept") from e

    def _go_on(self, set_torn_aside: bool) -> None:
        journal = Journal(self.folder)
        found = journal.survey()
        if journal.identity_hash and journal.identity_hash != self._identity:
            raise StateError(
                f"{self.folder}: the journal is of another run: its identity is {journal.identity_hash.hex()[:16]}, "
                f"this one's {self._identity.hex()[:16]}",
                hint="use another folder",
            )
        if found.torn is not None:
            if not set_torn_aside:
                raise TornJournal(found.torn.text(), hint=f"lockstep journal recover {self.folder} --cut sets it aside")
            try:
                _set_aside(found.torn, self._files)
            except OSError as e:
                raise self._cannot(e, "a torn tail could not be set aside") from e
            if not layout.segment_paths(self.folder):
                self._next_segment()
                return
            found = Journal(self.folder).survey()
        self._segment, self._block, self._chain = found.segments, found.last_block, found.chain
        self.committed, self._offset = found.last_sequence, found.end
        self._buffer = _buffer(found.last_sequence, found.last_ts)
        try:
            # A writer may have died between giving a segment its name and seeing to it that the name stays.
            self._files.sync_folder(self.folder)
            self._number = self._files.append_to(self.folder / layout.segment_name(found.segments))
        except OSError as e:
            raise self._cannot(e, "the last segment could not be gone on with") from e

    def _rotate_if_long(self) -> None:
        if self._offset >= self._segment_bytes:
            self._write_block()
            self._sync()  # a segment is on the disk before the next one exists
            self._next_segment()

    def _next_segment(self) -> None:
        number = self._segment + 1
        path = self.folder / layout.segment_name(number)
        head = SegmentHead(number, self._buffer.sequence + 1, self._block + 1, self._identity, self._chain)
        data = layout.pack_segment_head(head)
        try:
            self._files.write_new(path, data)
            opened = self._files.append_to(path)
        except OSError as e:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise self._cannot(e, "a segment could not be begun") from e
        self._close_file()
        self._number, self._segment, self._offset = opened, number, len(data)
        self._chain = layout.digest(data)


def cut_torn_tail(folder: Path, files: Files | None = None) -> Path | None:
    """Cut off a torn tail, whose bytes stay in a file beside the segment. Returns: that file; None where nothing is torn.

    Raises: JournalBusy: a writer is at work. UsageError: no journal. DamagedJournal. OSError: nothing was cut.
    """
    with WriterLock(folder):
        torn = Journal(folder).survey().torn
        return None if torn is None else _set_aside(torn, files or Files())


def _set_aside(torn: TornTail, files: Files) -> Path:
    with torn.path.open("rb") as file:
        file.seek(torn.offset)
        tail = file.read()
    kept, count = torn.path.with_name(f"{torn.path.stem}.torn-{torn.offset}"), 1
    while kept.exists():
        count += 1
        kept = torn.path.with_name(f"{torn.path.stem}.torn-{torn.offset}-{count}")
    files.write_new(kept, tail)
    if torn.offset == 0:  # not even a header: the segment never was
        torn.path.unlink()
        files.sync_folder(torn.path.parent)
        return kept
    number = files.append_to(torn.path)
    try:
        files.truncate(number, torn.offset)
        files.sync(number)
    finally:
        files.close(number)
    return kept


def _buffer(sequence: int, clock: int) -> BlockBuffer:
    return BlockBuffer(layout.BODY_BYTES_SOFT, layout.FACT_BYTES_MAX, sequence, clock)


def _words_of(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _fact_bytes(fact: msgspec.Struct | Mapping[str, Any]) -> bytes:
    named = fact.__struct_config__.tag if isinstance(fact, msgspec.Struct) else fact.get("type")
    field = fact.__struct_config__.tag_field if isinstance(fact, msgspec.Struct) else "type"
    if not isinstance(named, str) or field != "type":
        raise StateError(f"a fact needs a text type: {type(fact).__name__} has {named!r}")
    try:
        data = msgspec.msgpack.encode(fact, order="deterministic")
    except (TypeError, OverflowError, UnicodeEncodeError) as e:
        raise StateError(f"a {named} cannot be journalled: {e}") from e
    if len(data) + layout.FACT_HEAD_BYTES > layout.FACT_BYTES_MAX:
        raise StateError(f"a {named} of {len(data):,} bytes: at most {layout.FACT_BYTES_MAX:,} can be journalled")
    return data
