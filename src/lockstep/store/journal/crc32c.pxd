cdef unsigned int crc_word(unsigned int crc, unsigned long long word) noexcept nogil
cpdef unsigned int crc32c(const unsigned char[::1] data)
