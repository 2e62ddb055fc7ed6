from collections.abc import Iterator

def prange(
    start: int,
    stop: int = ...,
    step: int = ...,
    *,
    nogil: bool = ...,
    schedule: str = ...,
    chunksize: int = ...,
    num_threads: int = ...,
) -> Iterator[int]: ...
def threadid() -> int: ...
