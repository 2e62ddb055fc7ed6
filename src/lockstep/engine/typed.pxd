cdef object time_in_force(str name, long long clock, object tif, object expire)
cdef object order_type(str name, object limit, object stop, object trail, object trail_bps, object force)
cdef object order_flags(str name, object kind, object force, object post_only, object reduce_only)
cdef long long display_units(str name, object item, object kind, object force, long long units, object display_qty) except -2
cdef long long trail_ppm(str name, object trail_bps) except -1
