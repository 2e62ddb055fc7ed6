"""A window written by one thread and read by others. The bars are counters: what is tested is that none is torn."""

import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lockstep.book import MarketWindow, WindowBar, ring


@pytest.fixture(autouse=True)
def frequent_thread_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def check_whole(copy: dict[str, Any], wanted: int, capacity: int) -> None:
    held = min(copy["count"], capacity, wanted)
    expected = np.arange(copy["count"] - held, copy["count"])
    assert np.array_equal(copy["ts"], expected)
    for offset, name in enumerate(("low", "open", "close", "high", "volume")):
        assert np.array_equal(copy[name], expected + float(offset)), name


def test_readers_of_a_window_being_written_see_whole_consecutive_bars() -> None:
    window, bars = MarketWindow(500), 30_000
    stop = threading.Event()
    failures: list[BaseException] = []
    reads = [0, 0, 0]

    def read(which: int, wanted: int) -> None:
        last = 0
        try:
            while not stop.is_set():
                copy = window.read_consistent(wanted)
                check_whole(copy, wanted, 500)
                assert copy["count"] >= last
                last = copy["count"]
                reads[which] += 1
        except BaseException as e:  # noqa: BLE001 - handed to the main thread, which fails the test with it
            failures.append(e)

    readers = [threading.Thread(target=read, args=(i, wanted)) for i, wanted in enumerate((1, 100, 500))]
    for reader in readers:
        reader.start()
    for i in range(bars):
        window.push(i, i + 1.0, i + 3.0, i + 0.0, i + 2.0, i + 4.0)
    while min(reads) == 0 and not failures:
        stop.wait(0.01)
    stop.set()
    for reader in readers:
        reader.join(30)
        assert not reader.is_alive()
    assert not failures, failures[0]
    check_whole(window.read_consistent(500), 500, 500)


def test_read_consistent_of_a_short_window_gives_what_there_is() -> None:
    window = MarketWindow(4)
    empty = window.read_consistent(3)
    assert list(empty) == ["count", "ts", "open", "high", "low", "close", "volume"]
    assert all(len(empty[name]) == 0 for name in WindowBar._fields)
    window.push(0, 1.0, 3.0, 0.0, 2.0, 4.0)
    check_whole(window.read_consistent(3), 3, 4)
    with pytest.raises(ValueError, match="n must be from 1 to 4, was 5"):
        window.read_consistent(5)


def test_read_consistent_of_a_copy_that_was_overtaken_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    if not ring.__file__.endswith(".py"):
        pytest.skip("needs the uncompiled class, whose methods can be replaced")
    window = MarketWindow(4)
    window.push(0, 1.0, 3.0, 0.0, 2.0, 4.0)
    plain = MarketWindow._slice
    overtaken: list[int] = []

    def slice_while_written(self: MarketWindow, which: int, n: int) -> Any:
        if which == 3 and not overtaken:
            overtaken.append(which)
            self.push(1, 2.0, 4.0, 1.0, 3.0, 5.0)
        return plain(self, which, n)

    monkeypatch.setattr(MarketWindow, "_slice", slice_while_written)
    check_whole(window.read_consistent(4), 4, 4)
    monkeypatch.setattr(ring, "ATTEMPTS_MAX", 10)
    window.sequence += 1  # as a writer killed inside a push leaves it
    with pytest.raises(RuntimeError, match="half written at bar 2"):
        window.read_consistent(1)
