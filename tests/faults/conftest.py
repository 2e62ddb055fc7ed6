"""Stages that give their folder back at the end of a test, however it ends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stage import Stage


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Stage(**settings) in the test's own folder. kind: another class of it."""
    made: list[Stage] = []

    def make(kind: type[Stage] = Stage, **settings: Any) -> Stage:
        made.append(kind(tmp_path, **settings))
        return made[-1]

    yield make
    for stage in made:
        stage.session.writer._release()


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """One in durable mode."""
    return make_stage()
