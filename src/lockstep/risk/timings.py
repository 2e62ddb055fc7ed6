"""How long things took, as a histogram: fixed memory, and a percentile to an eighth however many were counted."""

from array import array

import cython

_FINE = 8  # steps in each power of two
_OCTAVES = 44  # up to 2**46 ns, 19 hours


@cython.final
@cython.cclass
class Timings:
    """Counts by length. longest: exactly, ns."""

    count: cython.longlong
    longest: cython.longlong
    _counts: "array[int]"

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0
        self._counts = array("q", bytes(8 * _FINE * _OCTAVES))

    @cython.boundscheck(False)  # the place is brought into the table
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def add(self, ns: cython.longlong) -> cython.int:
        """One took so long."""
        octave: cython.int = 0
        rest: cython.longlong = ns if ns > 0 else 0
        while rest >= 2 * _FINE:  # until it is below 16: its top bit and three more remain
            rest >>= 1
            octave += 1
        # Below 8 every ns has its own place; then eight places for each doubling.
        place: cython.Py_ssize_t = octave * _FINE + rest
        if place >= _FINE * _OCTAVES:
            place = _FINE * _OCTAVES - 1
        self._counts[place] += 1
        self.count += 1
        if ns > self.longest:
            self.longest = ns
        return 0

    def percentile(self, part: float) -> int:
        """What at least `part` of all took at most, ns: the upper end of its step, and never above the longest. 0 for none."""
        wanted = part * self.count
        seen = 0
        for place in range(_FINE * _OCTAVES):
            count = self._counts[place]
            seen += count
            if count and seen >= wanted:
                octave, rest = (0, place) if place < _FINE else divmod(place - _FINE, _FINE)
                if place >= _FINE:
                    rest += _FINE
                return min(self.longest, ((rest + 1) << octave) - 1)
        return 0
