"""When a venue is open, asked with clocks that do not go back."""

from collections.abc import Sequence

import cython


@cython.final
@cython.cclass
class Hours:
    """Sessions of a venue; none at all is closed."""

    opens: list[int]
    closes: list[int]
    next_close: cython.Py_ssize_t

    def __init__(self, bounds: Sequence[tuple[int, int]] = ()) -> None:
        """bounds: (opens, closes) in order, ns UTC."""
        self.opens = [opens for opens, _ in bounds]
        self.closes = [closes for _, closes in bounds]
        self.next_close = 0

    def are_open(self, clock: cython.longlong) -> cython.bint:
        """Whether the venue is open: from its opening on, and before its closing."""
        while self.next_close < len(self.closes) and clock >= self.closes[self.next_close]:
            self.next_close += 1
        return self.next_close < len(self.closes) and self.opens[self.next_close] <= clock
