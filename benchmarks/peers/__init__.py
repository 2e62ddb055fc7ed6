"""The rivals: one program each, run in a virtual environment of its own (see `environments`)."""
