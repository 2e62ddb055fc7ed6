"""Event sources, the loop that feeds an engine, and what a run leaves behind."""
