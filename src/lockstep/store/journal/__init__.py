"""The journal: what went into an engine and what came out, append-only, checked to the bit, with snapshots beside it."""
