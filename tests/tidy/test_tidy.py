"""The tree is tidy, and every rule of the checker fires on a sample that breaks it and rests on one that does not."""

import tomllib
from pathlib import Path

import pytest

import tidy
from tidy_rooms import CORE_ROOMS, LAYERS, rooms_below

ROOT = Path(__file__).resolve().parents[2]
CORE = "src/lockstep/engine/sample.py"
SHELL = "src/lockstep/run/sample.py"
SLASH = "/"  # the samples are put together here, so that this file does not break the rule it tests


def rules(path: str, source: str) -> list[str]:
    return [finding.rule for finding in tidy.check_file(path, source)]


@pytest.mark.slow
def test_tree_has_no_finding() -> None:
    findings = tidy.check_tree(ROOT)
    assert not findings, "\n" + "\n".join(map(str, findings))


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("clock", "import time\n"),
        ("clock", "from time import monotonic\n"),
        ("clock", "from datetime import datetime\nx = datetime.now()\n"),
        ("clock", "import datetime\nx = datetime.date.today()\n"),
        ("chance", "import random\n"),
        ("chance", "def f():\n    from uuid import uuid4\n"),
        ("chance", "import numpy as np\nx = np.random.normal()\n"),
        ("chance", "from numpy.random import default_rng\n"),
        ("io", "import socket\n"),
        ("io", "from pathlib import Path\n"),
        ("io", "import duckdb\n"),
        ("io", "x = open('f')\n"),
        ("io", "def f():\n    print('x')\n"),
        ("concurrency", "import asyncio\n"),
        ("concurrency", "import threading\n"),
        ("concurrency", "async def f():\n    pass\n"),
        ("logging", "import logging\n"),
        ("global_state", "n = 0\ndef f():\n    global n\n    n = 1\n"),
        ("set_order", "for x in {1, 2}:\n    pass\n"),
        ("set_order", "y = [x for x in set('ab')]\n"),
        ("set_order", "class A:\n    def f(self):\n        self.s = set()\n        return list(self.s)\n"),
        ("set_order", "def f():\n    s: set[str] = g()\n    for x in s:\n        pass\n"),
        ("set_order", "a = {1}\nb = {2}\nfor x in a | b:\n    pass\n"),
        ("set_order", "s = {1}\nx = next(iter(s))\n"),
        ("set_order", "s = {1}\nx = s.pop()\n"),
        ("hash_order", "x = hash('a')\n"),
        ("hash_order", "x = id(object())\n"),
    ],
)
def test_core_rule_on_bad_sample_fires_in_the_core_only(rule: str, source: str) -> None:
    assert rule in rules(CORE, source)
    assert rules(SHELL, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime\nx = datetime(2018, 1, 1, tzinfo=UTC)\n",
        "for x in sorted({1, 2}):\n    pass\n",
        "s = {1}\nx = 1 in s\n",
        "d = {}\nfor x in d:\n    pass\n",
        "class A:\n    def __hash__(self):\n        return hash((1, 2))\n",
        "TABLE = {1: 2}\ndef f(x):\n    return TABLE[x]\n",
        "q = [1]\nx = q.pop()\n",
    ],
)
def test_core_rules_on_good_sample_rest(source: str) -> None:
    assert rules(CORE, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\n",
        "from marshal import loads\n",
        "import shelve\n",
        "x = eval('1')\n",
        "exec('x = 1')\n",
        "import yaml\nx = yaml.load('a')\n",
        "import os\nos.system('ls')\n",
        "import subprocess\nsubprocess.run('ls', shell=True)\n",
        "import subprocess\nsubprocess.run('ls', shell=flag)\n",
    ],
)
@pytest.mark.parametrize("path", [SHELL, "tests/unit/sample.py", "setup.py", "examples/sample.py"])
def test_danger_fires_anywhere_in_the_tree(path: str, source: str) -> None:
    assert rules(path, source) == ["danger"]


@pytest.mark.parametrize(
    "source",
    [
        "import yaml\nx = yaml.safe_load('a')\n",
        "import subprocess\nsubprocess.run(['ls'], shell=False)\n",
        "loader.exec(x)\n",
    ],
)
def test_danger_on_the_safe_form_rests(source: str) -> None:
    assert rules(SHELL, source) == []


@pytest.mark.parametrize("name", ["utils.py", "common/x.py", "helpers.py", "order_manager/manager.py", "helper.pxd"])
def test_vague_module_name_fires(name: str) -> None:
    assert rules(f"src/lockstep/run/{name}", "") == ["vague_name"]


def test_function_length_over_the_limit_fires_and_at_the_limit_rests() -> None:
    body = "    x = 1\n"
    assert rules(SHELL, "def f():\n" + body * (tidy.FUNCTION_LINES_MAX - 1)) == []
    assert rules(SHELL, "def f():\n" + body * tidy.FUNCTION_LINES_MAX) == ["function_length"]


def test_file_length_over_the_limit_fires_and_at_the_limit_rests() -> None:
    assert rules(SHELL, "x = 1\n" * tidy.FILE_LINES_MAX) == []
    assert rules(SHELL, "x = 1\n" * (tidy.FILE_LINES_MAX + 1)) == ["file_length"]


def test_unfinished_fires_in_the_package() -> None:
    assert rules(SHELL, "def f():\n    raise NotImplementedError('later')\n") == ["unfinished"]


@pytest.mark.parametrize("path", ["docs/x.md", "Makefile", SHELL])
@pytest.mark.parametrize("folder", ["home/ann", "root/x", "Users/ann", "opt/tool"])
def test_machine_path_fires_in_any_text(path: str, folder: str) -> None:
    assert rules(path, f"# see {SLASH}{folder}\n") == ["machine_path"]


@pytest.mark.parametrize("text", ["# https://example.org/home/ann\n", "# runs/home/x\n", "#!/usr/bin/env bash\n"])
def test_machine_path_in_an_address_or_a_relative_path_rests(text: str) -> None:
    assert rules("docs/x.md", text) == []


def test_registry_host_fires_in_any_text() -> None:
    assert rules("docs/x.md", "from https://pypi" + ".org/simple\n") == ["registry_host"]


def test_cimport_up_or_sideways_fires_and_down_rests() -> None:
    def python(room: str) -> str:
        return f"import cython\nif cython.compiled:\n    from cython.cimports.lockstep.{room}.x import T\n"

    assert rules("src/lockstep/book/l2.py", python("engine")) == ["layer"]
    assert rules("src/lockstep/sim/x.py", python("orders")) == ["layer"]
    assert rules("src/lockstep/orders/x.py", python("portfolio")) == ["layer"]
    assert rules("src/lockstep/engine/x.py", python("orders")) == []
    assert rules("src/lockstep/book/l2.pxd", "from lockstep.sim.x cimport T\n") == ["layer"]
    assert rules("src/lockstep/sim/x.pxd", "from lockstep.book.l2 cimport T\nfrom lockstep.sim.y cimport U\n") == []


def test_waiver_with_a_reason_waives_its_own_rule_on_its_line_or_the_next() -> None:
    assert rules(CORE, "import time  # tidy: allow clock - reads no clock, only struct_time\n") == []
    assert rules(CORE, "# tidy: allow clock - reads no clock, only struct_time\nimport time\n") == []
    assert rules(CORE, "# tidy: allow io - wrong rule\nimport time\n") == ["waiver", "clock"]


def test_waiver_without_a_reason_waives_nothing() -> None:
    assert sorted(rules(CORE, "import time  # tidy: allow clock\n")) == ["clock", "waiver"]


def test_waiver_that_excuses_nothing_fires() -> None:
    assert rules(CORE, "x = 1  # tidy: allow clock - left over\n") == ["waiver"]


def test_file_length_is_waived_anywhere_in_the_file() -> None:
    assert (
        rules(SHELL, "x = 1\n" * tidy.FILE_LINES_MAX + "# tidy: allow file_length - one table, read as a whole\n") == []
    )


def test_layers_of_the_checker_and_of_the_import_contract_agree() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    stated = [{room.strip(" ()").removeprefix("lockstep.") for room in layer.split("|")} for layer in reversed(layers)]
    assert stated == [set(layer) for layer in LAYERS]
    core = next(contract for contract in contracts if contract["id"] == "pure-core")
    assert {room.removeprefix("lockstep.") for room in core["source_modules"]} == CORE_ROOMS


def test_every_room_on_disk_has_its_layer() -> None:
    on_disk = {path.parent.name for path in (ROOT / "src" / "lockstep").glob("*/__init__.py")}
    assert on_disk <= frozenset().union(*LAYERS)
    assert "orders" not in rooms_below("sim")
