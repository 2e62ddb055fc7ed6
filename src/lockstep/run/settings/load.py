"""Reading a settings file, with everything above it applied, and checking the whole."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lockstep.run.settings.check import problems_of
from lockstep.run.settings.overrides import DOTENV, PREFIX, apply_overrides, from_environment, from_words, read_dotenv
from lockstep.run.settings.settings import Settings, SettingsError
from lockstep.run.settings.texts import Document, read_document

FILE_NAMES = ("lockstep.toml", "lockstep.yaml", "lockstep.yml", "lockstep.json")
"""What `lockstep run` looks for in the folder it is called in."""


def find_file(folder: Path) -> Path | None:
    """The settings file of a folder by its usual name; None where there is none."""
    return next((folder / name for name in FILE_NAMES if (folder / name).is_file()), None)


def load_settings(
    path: Path | None, words: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Settings:
    """Read, override and check.

    Args:   path: the file; None for the defaults alone, as nothing is required then. words: of `--set`, as "key=value".
            environment: by default that of the process.
    Raises: SettingsError: everything that is wrong with it. UsageError: no file that can be read.
    """
    document = read_document(path) if path is not None else Document(Path(), {}, {})
    dotenv = document.path.parent / DOTENV
    beside = read_dotenv(dotenv)
    real = dict(os.environ if environment is None else environment)
    below = {name: value for name, value in beside.items() if name not in real}
    settings = Settings(document)
    settings.above = [*from_environment(below, str(dotenv)), *from_environment(real), *from_words(words)]
    settings.beside = {name: value for name, value in beside.items() if not name.startswith(PREFIX)}
    apply_overrides(document.tree, settings.above)
    problems = problems_of(settings, complete=path is not None)
    if problems:
        raise SettingsError(problems)
    return settings
