"""A book by level that comes as a snapshot and numbered changes, on two ways that are not in step."""

from collections import deque

from lockstep.model.enums import BookFault, BookState
from lockstep.store.catalog.books.pen import Pen
from lockstep.store.catalog.books.tape import Tape

Levels = list[tuple[int, int, int]]
WAITING_MAX = 4_096
"""Changes kept for a snapshot that is older than they are; a snapshot that is older still cannot be used."""


class Change:
    """Levels (side, price, quantity) that came as one. first, last: the numbers of the changes in it; before: the last number of the
    change before, None where the venue does not say, so that `first` has to follow.
    """

    __slots__ = ("before", "first", "last", "levels", "times")

    def __init__(self, first: int, last: int, before: int | None, levels: Levels, times: tuple[int, int]) -> None:
        self.first, self.last, self.before = first, last, before
        self.levels, self.times = levels, times

    def follows(self, last: int) -> bool:
        """Whether nothing is missing between this and a change that ended with a number."""
        return self.first == last + 1 if self.before is None else self.before == last


class JoinedBook:
    """Writes what can be known of such a book: changes as they come; at a snapshot the full book, then the changes it lacks.

    A change that does not follow the one before leaves a gap: the book is RESYNCING until a snapshot comes that joins the changes.
    One that was there already is left out and counted.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.last = -1
        self._waiting: deque[Change] = deque(maxlen=WAITING_MAX)
        self._whole = False
        self._fresh = False
        """Whether no change was kept since the snapshot: the first may begin before it."""

    def change(self, change: Change, pen: Pen) -> None:
        """The next change."""
        if self.last < 0:
            pen.begin(self.tape, change.times)
        if self.last >= 0 and change.last <= self.last:
            if not self._fresh:  # what a snapshot holds already is told again by rule
                pen.fault(self.tape, "changes of the book that came twice or late: left out")
            return
        if self.last >= 0 and not (_joins(change, self.last) if self._fresh else change.follows(self.last)):
            pen.fault(self.tape, "gaps between changes of the book")
            pen.status(self.tape, BookState.RESYNCING, BookFault.GAP, change.times, sequence=change.first)
            self._waiting.clear()
            self._whole = False
        self.last = change.last
        self._fresh = False
        if not self._whole:
            self._waiting.append(change)
        pen.levels(self.tape, change.levels, change.times, sequence=change.last)

    def lose(self, what: str, times: tuple[int, int], pen: Pen) -> None:
        """A change came that cannot be placed: without it the book is not the venue's any more. what: as pen.fault counts it."""
        if self.last < 0:
            pen.begin(self.tape, times)
        pen.fault(self.tape, what)
        pen.status(self.tape, BookState.RESYNCING, BookFault.GAP, times, sequence=max(self.last, 0))
        self._waiting.clear()
        self._whole = False

    def snapshot(self, number: int, levels: Levels, times: tuple[int, int], pen: Pen) -> None:
        """A full book as it was after the change of that number."""
        missing = [change for change in self._waiting if change.last > number]
        if missing and not _joins(missing[0], number):
            pen.fault(self.tape, "snapshots that are older than the changes at hand: left out")
            return
        if self.last > number and not missing:
            pen.fault(self.tape, "snapshots of a book that is known to be newer: left out")
            return
        pen.levels(self.tape, levels, times, sequence=number, full=True)
        for change in missing:  # known before, but of no use before: they become known with the snapshot
            pen.levels(self.tape, change.levels, (times[0], change.times[1]), sequence=change.last)
        self._fresh = not missing
        self.last = max(self.last, number)
        self._waiting.clear()
        self._whole = True


def _joins(change: Change, number: int) -> bool:
    """Whether a change is the next after a snapshot, or has it inside."""
    if change.before is not None and change.before == number:
        return True
    return change.first <= number + 1 <= change.last + 1


class PushedBook:
    """Writes a book whose full state comes in the stream itself, before its changes; there nothing has to be joined.

    A change that does not follow the one before leaves a gap: RESYNCING, until the venue sends a full book again. A venue that numbers
    nothing passes None, and gaps cannot be seen.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.last: int | None = None
        self.whole = False
        """Whether the book is the venue's, as far as can be seen: a full one came, and nothing was lost since."""
        self._known = False

    def snapshot(self, number: int | None, levels: Levels, times: tuple[int, int], pen: Pen) -> None:
        """A full book."""
        self.last, self.whole, self._known = number, True, True
        pen.levels(self.tape, levels, times, sequence=number or 0, full=True)

    def change(self, number: int | None, before: int | None, levels: Levels, times: tuple[int, int], pen: Pen) -> None:
        """Changed levels. number, before: of this change and the one before it, as the venue says."""
        if not self._known:
            self._known = True
            pen.begin(self.tape, times)
        if number is not None and self.last is not None and number <= self.last:
            pen.fault(self.tape, "changes of the book that came twice or late: left out")
            return
        if before is not None and self.last is not None and before != self.last and self.whole:
            self.lose(BookFault.GAP, "gaps between changes of the book", times, pen)
        self.last = number
        pen.levels(self.tape, levels, times, sequence=number or 0)

    def forget(self) -> None:
        """Another file begins: what was between them is not known."""
        self.last, self.whole, self._known = None, False, False

    def lose(self, fault: BookFault, what: str, times: tuple[int, int], pen: Pen) -> None:
        """From here on the book is not what the venue's is."""
        self.whole = False
        pen.fault(self.tape, what)
        pen.status(self.tape, BookState.RESYNCING, fault, times, sequence=self.last or 0)
