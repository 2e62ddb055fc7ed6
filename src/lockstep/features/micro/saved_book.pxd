# Compiled for its access to C fields; every function here is an ordinary Python function.
