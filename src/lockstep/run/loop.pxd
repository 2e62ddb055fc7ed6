from lockstep.engine.engine cimport Engine
from lockstep.run.source cimport MergedSource, Stream
from lockstep.sim.venue cimport Venue

cdef int drain(Engine engine, Venue venue, long long until, bint with_timers_at) except -1
cdef int post(Engine engine, Venue venue) except -1
cdef int match_bars(Engine engine, Venue venue, MergedSource source) except -1
cdef int match_bar(Venue venue, Stream stream) except -1
cpdef int run_bars(Engine engine, Venue venue, MergedSource source) except -1
