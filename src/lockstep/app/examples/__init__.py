"""The example strategies, as they lie in examples/: shipped, so that `lockstep demo` runs from an installed wheel too."""
