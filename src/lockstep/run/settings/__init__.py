"""One file that says what to run, in TOML, YAML or JSON: read, overridden by the environment, checked, and made a run."""
