"""Benchmarks: Lockstep beside its rivals on recorded data, in one run.

This package file stays empty of imports: the rivals' programs (`benchmarks.peers`) run in virtual
environments of their own, where neither Lockstep nor its dependencies are installed.
"""
