from lockstep.engine.engine cimport Engine
from lockstep.run.carry cimport Carrier
from lockstep.run.source cimport MergedSource, Stream
from lockstep.sim.venue cimport Venue

cdef int drain(Engine engine, Venue venue, long long until, bint with_timers_at) except -1
cdef int post(Engine engine, Venue venue) except -1
cdef int match_bars(Engine engine, Venue venue, MergedSource source) except -1
cdef int match_bar(Venue venue, Stream stream) except -1
cdef int show_tick(Venue venue, Stream stream) except -1

cdef class Loop:
    cdef readonly Engine engine
    cdef readonly Venue venue
    cdef readonly MergedSource source, ahead
    cdef readonly Carrier carrier
    cdef readonly long long steps
    cdef long long next_mark, unmarked
    cpdef int show_history(self, MergedSource history) except -1
    cpdef bint run(self, long long until, long long steps=*) except -1
    cpdef int run_all(self) except -1
    cpdef int finish(self) except -1
    cdef int _lead(self, long long clock) except -1
    cdef int _mark_minute(self, long long clock) except -1
    cdef int _bars(self, long long clock) except -1
    cdef int _book(self, Stream stream) except -1
    cdef int _event(self, Stream stream) except -1
