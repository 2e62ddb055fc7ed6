"""The seeded stream of random draws: state, like everything else, so that a run can be repeated and restored."""

import cython

if cython.compiled:
    from cython.cimports.lockstep.sim.drawn import lognormal_ns
else:
    from lockstep.sim.drawn import lognormal_ns

_MASK = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class Chance:
    """SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"): 64 bits of state."""

    state: cython.ulonglong

    def __init__(self, seed: int) -> None:
        self.state = seed & 0xFFFFFFFFFFFFFFFF

    def uniform(self, width: cython.longlong) -> cython.longlong:
        """A whole number in [0, width); 0 without a draw where width is below 2.

        The modulo's bias is below width / 2**64: nothing at the widths of a latency.
        """
        if width < 2:
            return 0
        return self._next() % cython.cast(cython.ulonglong, width)

    def lognormal(self, median: cython.double, sigma: cython.double) -> cython.longlong:
        """A delay in ns, half of which lie below the median; 0 without a draw where that is 0. See `drawn.lognormal_ns`."""
        if median <= 0.0:
            return 0
        return lognormal_ns(self._next(), median, sigma)

    def _next(self) -> cython.ulonglong:
        z: cython.ulonglong
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def save(self) -> int:
        """The state, for a snapshot."""
        return self.state

    def restore(self, state: int) -> None:
        """Continue from a saved state."""
        self.state = state
