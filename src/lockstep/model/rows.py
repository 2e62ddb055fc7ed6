"""Market event records as compiled code reads them: two views of one array, handed on as one object.

A typed view is a structure of two hundred bytes that is copied at each call; an object holding it is one pointer.
"""

import cython
import numpy as np
from numpy.typing import NDArray

from lockstep.model.record import Records, floats, words


@cython.cclass
class EventRows:
    """Records as int64 words (w) and, the same memory, as float64 (f): rows of ten, see `model.record`."""

    w: NDArray[np.int64]
    f: NDArray[np.float64]

    def hold(self, records: Records) -> cython.int:
        """View these records from now on. Raises: DataError: not contiguous market event records."""
        ints: object = memoryview(words(records))  # type: ignore[arg-type]
        reals: object = memoryview(floats(records))  # type: ignore[arg-type]
        self.w = ints  # type: ignore[assignment]
        self.f = reals  # type: ignore[assignment]
        return 0
