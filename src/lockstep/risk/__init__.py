"""Pre-trade checks. Every order of every strategy passes the gate; there is no way around it."""
