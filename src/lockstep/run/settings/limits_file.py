"""A file of risk limits: the keys of [risk] at its top, or under [risk] as in a settings file; TOML, YAML or JSON."""

from pathlib import Path

from lockstep.risk.limits import RiskLimits
from lockstep.run.settings.check import problems_of
from lockstep.run.settings.risk import limits_from
from lockstep.run.settings.settings import Settings, SettingsError
from lockstep.run.settings.texts import Document, read_document

_SECTION = "risk"


def read_limits(path: Path) -> RiskLimits:
    """Read and check a file of limits.

    Raises: SettingsError: everything that is wrong with it, each with its line. UsageError: no file that can be read.
    """
    document = read_document(path)
    if set(document.tree) != {_SECTION}:
        lines = {(_SECTION, *place): line for place, line in document.lines.items()}
        document = Document(document.path, {_SECTION: document.tree}, lines)
    settings = Settings(document)
    problems = problems_of(settings, complete=False)
    if problems:
        raise SettingsError(problems)
    return limits_from(settings.table(_SECTION))
