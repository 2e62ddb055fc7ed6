"""Learning from recordings: labels, which know the future and are for training alone, and models fitted to them.

Nothing here is seen by a strategy in a run: what it gets is a declared feature with the coefficients in it.
"""
