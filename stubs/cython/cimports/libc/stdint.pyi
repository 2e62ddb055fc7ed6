# <stdint.h>: fixed widths are plain ints to mypy.

int8_t = int
int16_t = int
int32_t = int
int64_t = int
uint8_t = int
uint16_t = int
uint32_t = int
uint64_t = int
