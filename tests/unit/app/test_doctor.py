"""`lockstep doctor`: each line says ok, warn or fail and what to do, and it never falls ill itself."""

import json
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from lockstep._build import source_hashes
from lockstep.app.cli import checks

ROOT = Path(__file__).resolve().parents[3]
Call = Callable[..., Result]


def by_name(told: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {entry["name"]: entry for entry in told["checks"]}


def test_doctor_looks_at_everything_that_could_be_wrong(call: Call) -> None:
    told = json.loads(call("doctor", "--json").stdout)
    assert set(by_name(told)) == {
        "Lockstep", "Python", "compiled modules", *checks.NEEDED, "machine", "LOCKSTEP_HOME", "runs",
        "temporary files", "time zones", "terminal",
    }  # fmt: skip
    assert {entry["status"] for entry in told["checks"]} <= {"ok", "warn", "fail"}
    assert all(entry["advice"] for entry in told["checks"] if entry["status"] != "ok")
    assert told["healthy"] is all(entry["status"] != "fail" for entry in told["checks"])


def test_dependencies_looked_at_are_those_of_the_package() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = {line.split(">=")[0]: line.split(">=")[1] for line in declared}
    assert wanted == {name: ".".join(map(str, oldest)) for name, oldest in checks.NEEDED.items()}


def test_stale_compiled_module_is_a_failure_with_what_to_do(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "lockstep"
    package.mkdir()
    (package / "hot.py").write_text("x = 1\n")
    (package / "hot.pxd").write_text("")
    (package / "hot.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")
    hashes = package / "_build_hashes.json"
    monkeypatch.setattr(checks, "PACKAGE", package)
    monkeypatch.setattr(checks, "HASHES", hashes)
    monkeypatch.delenv("LOCKSTEP_PURE", raising=False)
    hashes.write_text(json.dumps(source_hashes(package)))
    assert checks.check_compiled().status == "ok"
    (package / "hot.py").write_text("x = 2\n")
    result = call("doctor", code=1)
    assert "compiled from other sources than those beside them: lockstep.hot" in " ".join(result.stdout.split())
    assert "make build" in result.stdout
    assert "something stops Lockstep" in result.stdout
    (package / "hot.cpython-311-x86_64-linux-gnu.so").unlink()
    assert checks.check_compiled().status == "warn"


def test_pure_mode_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_PURE", "1")
    assert checks.check_compiled().advice == "unset LOCKSTEP_PURE"


@pytest.mark.parametrize(
    ("version", "status"), [("1.26.4", "fail"), ("2.0", "ok"), ("2.0.0rc1", "ok"), ("10.1", "ok"), ("", "fail")]
)
def test_dependency_that_is_too_old_fails_with_the_pip_line(
    version: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: version)
    check = checks.check_package("numpy", (2, 0))
    assert check.status == status
    assert ("pip install 'numpy>=2.0'" in check.advice) is (status == "fail")


def test_dependency_that_is_absent_fails_with_the_pip_line() -> None:
    check = checks.check_package("lockstep-no-such-package", (1, 0))
    assert check.status == "fail"
    assert "pip install 'lockstep-no-such-package>=1.0'" in check.advice


def test_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = checks.check_writable("runs", tmp_path / "file" / "runs", "choose another")
    assert (check.status, check.advice) == ("fail", "choose another")
    assert checks.check_writable("runs", tmp_path / "later" / "runs", "choose another").status == "ok"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_check_that_fails_itself_is_a_remark_and_not_a_crash(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def ill() -> checks.Check:
        raise RuntimeError("no pulse")

    monkeypatch.setattr(checks, "check_zones", ill)
    result = call("doctor")
    assert "could not be looked at: RuntimeError: no pulse" in " ".join(result.stdout.split())
