"""The Strategy API: what a user writes. Strategies see the market, their positions and orders through a read-only context."""
