"""The venue model: matching, latency, fees, slippage. It keeps its own order state and never sees ours."""
