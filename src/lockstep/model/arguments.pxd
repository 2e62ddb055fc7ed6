cpdef double finite(str name, object value) except? -1.0
