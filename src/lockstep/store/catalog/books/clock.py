"""The clocks of recorders: how each file's stands to the venue's."""

from pathlib import Path

LATENCY_FLOOR_NS = 1_000_000
"""The smallest latency that a corrected clock is given: venues stamp whole milliseconds, so less could not be told from none."""


class FileClock:
    """One file, and how its recorder's clock stands to the venue's.

    A message cannot arrive before it was sent. Where one seems to, the recorder's clock is behind, and the whole file is moved
    later by one offset: the one that makes its smallest latency LATENCY_FLOOR_NS. Told in the notes, never silent.
    """

    def __init__(self, number: int, path: Path, row_word: str) -> None:
        self.number = number
        self.name = path.name
        self.row_word = row_word
        self.messages = 0
        self.negative = 0
        self.smallest_ns = 2**62
        self.at = 0

    def heard(self, place: int, sent_ns: int, received_ns: int) -> None:
        """A message with both times came."""
        latency = received_ns - sent_ns
        self.messages += 1
        self.negative += latency < 0
        if latency < self.smallest_ns:
            self.smallest_ns, self.at = latency, place

    def place_name(self, place: int) -> str:
        """A place of the file, for messages."""
        return f"{self.name}: {self.row_word} {place:,}"

    @property
    def shift_ns(self) -> int:
        """What is added to every time of receipt."""
        return LATENCY_FLOOR_NS - self.smallest_ns if self.negative else 0

    def notes(self) -> list[str]:
        """The correction, in words."""
        if not self.negative:
            return []
        told = (
            f"{self.name}: {self.negative:,} of {self.messages:,} messages were received before they were sent, by up to "
            f"{-self.smallest_ns / 1e6:,.3f} ms ({self.row_word} {self.at:,}): the recorder's clock was behind; every ts_recv of the "
            f"file is moved later by {self.shift_ns / 1e6:,.3f} ms, so that the smallest latency is {LATENCY_FLOOR_NS / 1e6:g} ms"
        )
        return [told]
