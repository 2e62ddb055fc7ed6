from lockstep.engine.engine cimport Engine
from lockstep.run.source cimport MergedSource, Stream
from lockstep.sim.bars cimport BarVenue

cdef int drain(Engine engine, BarVenue venue, long long until, bint with_timers_at) except -1
cdef int post(Engine engine, BarVenue venue) except -1
cdef int match_bars(Engine engine, BarVenue venue, MergedSource source) except -1
cdef int match_bar(BarVenue venue, Stream stream) except -1
cpdef int run_bars(Engine engine, BarVenue venue, MergedSource source) except -1
