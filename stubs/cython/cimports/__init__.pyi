# C declarations as modules. Those of our own package stand behind `if cython.compiled:`, which mypy does not read.
