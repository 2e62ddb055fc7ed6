from lockstep.engine.engine cimport Engine
from lockstep.model.rows cimport EventRows
from lockstep.run.source cimport MergedSource, Stream
from lockstep.sim.venue cimport Venue

cdef class Carrier(EventRows):
    cdef list streams
    cdef list last
    cdef object row
    cdef readonly long long carried
    cdef int note(self, MergedSource source) except -1
    cdef int complete(self, Engine engine, Venue venue, MergedSource source, long long clock) except -1
