"""Prints the docstring figure where the run's other figures stand."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each figure that a test recorded as `docstrings`."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "docstrings":
                terminalreporter.write_line(f"docstrings: {value}")
