from lockstep.features.base cimport Indicator
from lockstep.features.schedule cimport IndicatorSet


cdef int fill(
    IndicatorSet driven,
    Indicator last,
    const double[::1] high,
    const double[::1] low,
    const double[::1] close,
    const double[::1] volume,
    double[::1] out,
) except -1
