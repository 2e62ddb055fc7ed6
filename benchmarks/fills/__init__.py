"""Fills beside hftbacktest's: the same recording, the same orders, the same latencies and queue models. `python -m benchmarks.fills`."""
