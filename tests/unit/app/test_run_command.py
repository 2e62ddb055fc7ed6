"""`lockstep run` and `lockstep config`: the same run from any format and from a command line, shown, checked, refused."""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from lockstep.app.cli.run import in_the_files_words

ROOT = Path(__file__).resolve().parents[3]
Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]

ONE = """\
[engine]
cash = 50_000
end = 2010-01-01
[data]
source = "us_stocks"
symbols = ["AAPL", "IBM"]
[venue]
fees = "0.02%/0.05% + 1/order"
slippage_bps = 2
latency = "200ms"
participation = 0.2
[risk]
max_position = 900
[output]
sensitivity = false
[[strategies]]
script = "ema_cross.py"
parameters = { fast = 12, weight = 0.25 }
"""
ONE_YAML = """\
engine: {cash: 50000.0, end: 2010-01-01}
data: {source: us_stocks, symbols: [AAPL, IBM]}
venue:
  fees: 0.02%/0.05% + 1/order
  slippage_bps: 2.0
  latency: 200ms
  participation: "0.20"
risk: {max_position: 9e2}
output: {sensitivity: false}
strategies: [{script: ema_cross.py, parameters: {fast: 12, weight: .25}}]
"""
ONE_JSON = json.dumps(
    {
        "engine": {"cash": 50000, "end": "2010-01-01T00:00:00Z"},
        "data": [{"source": "us_stocks", "symbols": "AAPL,IBM"}],
        "venue": {"fees": "0.02%/0.05% + 1/order", "slippage_bps": "2", "latency": "200ms", "participation": 0.2},
        "risk": {"max_position": 900},
        "output": {"sensitivity": False},
        "strategies": [{"script": "ema_cross.py", "parameters": {"fast": 12, "weight": 0.25}}],
    }
)
SAME_AS = (
    "backtest ema_cross.py --data us_stocks --symbol AAPL --symbol IBM --cash 50000 --end 2010-01-01 "
    "--fee '0.02%/0.05% + 1/order' --slippage-bps 2 --latency 200ms --participation 0.2 --max-position 900 "
    "--param fast=12 --param weight=0.25 --no-sensitivity --no-save"
)
TWO = """\
[data]
source = "us_stocks"
[output]
sensitivity = false
[[strategies]]
name = "quick"
script = "ema_cross.py"
symbols = ["AAPL", "IBM"]
parameters = { fast = 5 }
[[strategies]]
name = "slow"
script = "ema_cross.py"
symbols = ["MSFT"]
"""


@pytest.fixture(autouse=True)
def no_settings_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment of the tests says, it says no setting."""
    for name in list(os.environ):
        if name.startswith("LOCKSTEP_") and ("__" in name or name == "LOCKSTEP_MODE"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path, ema_cross: str) -> Callable[..., str]:
    """Write a settings file beside the example EMA cross, and give its name."""
    assert (tmp_path / ema_cross).is_file()

    def written(text: str, name: str = "run.toml") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return written


@pytest.mark.slow
def test_run_of_a_file_is_the_run_of_the_same_command_line_in_every_format(
    call_json: CallJson, write: Callable[..., str]
) -> None:
    typed = call_json(*shlex.split(SAME_AS))
    assert typed["fills"] > 50
    for text, name in ((ONE, "a.toml"), (ONE_YAML, "b.yaml"), (ONE_JSON, "c.json")):
        run = call_json("run", "--config", write(text, name), "--no-save")
        assert run["run_hash"] == typed["run_hash"], name
        assert (run["decision_hash"], run["final_equity"]) == (typed["decision_hash"], typed["final_equity"])


@pytest.mark.slow
def test_logs_of_a_file_go_beside_it_and_console_off_prints_nothing(
    call: Call, call_json: CallJson, write: Callable[..., str], tmp_path: Path
) -> None:
    bare = '[data]\nsource = "us_stocks"\n[[strategies]]\nscript = "ema_cross.py"\n[output]\nsensitivity = false\n'
    write(bare + '[logs]\nfolder = "said"\nlevel = "warning,orders=debug"\nconsole = false\n')
    done = call("run", "--config", "run.toml", "--no-save", code=0)
    assert done.stdout == done.stderr == ""
    kinds = [json.loads(line)["event_type"] for line in (tmp_path / "said" / "orders.log").read_text().splitlines()]
    assert kinds.count("submit") == kinds.count("accept") > 50
    run = call_json("run", "--config", "run.toml", "--no-save", "--set", "logs.console=true")
    assert run["logs"]["orders"] == len(kinds)
    assert run["logs"]["lost"] == 0
    refused = call("run", "--config", "run.toml", "--set", "logs.level=lowd", code=2)
    assert "no log level 'lowd'" in refused.stderr


@pytest.mark.slow
def test_bare_file_is_the_bare_backtest(call_json: CallJson, write: Callable[..., str]) -> None:
    bare = '[data]\nsource = "us_stocks"\n[[strategies]]\nscript = "ema_cross.py"\n'
    words = ("backtest", "ema_cross.py", "--data", "us_stocks", "--no-sensitivity", "--no-save")
    run = call_json("run", "--config", write(bare), "--no-save", "--set", "output.sensitivity=false")
    assert run["run_hash"] == call_json(*words)["run_hash"]


@pytest.mark.slow
def test_several_strategies_share_the_account_and_each_has_its_line(
    call: Call, call_json: CallJson, write: Callable[..., str]
) -> None:
    run = call_json("run", "--config", write(TWO))
    quick, slow = run["strategies"]
    assert (quick["name"], slow["name"]) == ("quick", "slow")
    assert quick["fills"] > slow["fills"] > 0
    assert quick["fills"] + slow["fills"] == run["fills"]
    assert quick["fees"] + slow["fees"] == pytest.approx(run["fees"])
    earned = sum(one["realised"] - one["fees"] + one["dividends"] + one["open"] for one in (quick, slow))
    assert earned == pytest.approx(run["final_equity"] - 100_000, abs=0.05)
    assert set(run["symbols"]) == {"AAPL", "IBM", "MSFT"}, "only what is traded is read"
    shown = call("run", "--config", "run.toml", "--no-save", code=0).stdout
    for part in ("quick + slow on AAPL", "realised", f"{slow['fills']:,}", "Total return"):
        assert part in shown
    manifest = json.loads(Path(run["folder"], "manifest.json").read_text())
    assert manifest["strategy"]["symbols"] == ["AAPL", "IBM"]
    assert manifest["strategy"]["beside"][0]["symbols"] == ["MSFT"]


def test_command_kept_with_a_run_says_what_stood_above_the_file(
    call_json: CallJson, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(ONE)
    monkeypatch.setenv("LOCKSTEP_ENGINE__CASH", "70000")
    Path(".env").write_text("LOCKSTEP_RISK__MAX_POSITION=50\nPOLYGON_API_KEY=hunter2\n")
    run = call_json("run", "--config", name, "--set", "strategies.ema_cross.parameters.fast=9")
    assert run["params"]["fast"] == 9
    manifest = json.loads(Path(run["folder"], "manifest.json").read_text())
    assert manifest["config"]["cash"] == "70000"
    assert manifest["config"]["limits"]["position_max"] == "50"
    assert manifest["command"] == run["command"]
    assert "hunter2" not in json.dumps(manifest)
    monkeypatch.delenv("LOCKSTEP_ENGINE__CASH")
    Path(".env").unlink()
    again = call_json(*shlex.split(run["command"])[1:], "--no-save")
    assert again["run_hash"] == run["run_hash"]
    assert call_json("run", "--config", name, "--no-save")["run_hash"] != run["run_hash"]


def test_paths_are_those_from_the_file_and_results_go_where_it_says(
    call_json: CallJson, tmp_path: Path, ema_cross: str, apple: list[list[str]], prices: Callable[..., str]
) -> None:
    (tmp_path / "sub" / "code").mkdir(parents=True)
    (tmp_path / ema_cross).rename(tmp_path / "sub" / "code" / ema_cross)
    (tmp_path / prices(apple)).rename(tmp_path / "sub" / "prices.csv")
    text = (
        '[data]\nsource = "prices.csv"\n[output]\nruns = "kept"\nreport = "out/page.html"\nsensitivity = false\n'
        '[[strategies]]\nscript = "code/ema_cross.py"\nparameters = { fast = 2, slow = 5 }\n'
    )
    (tmp_path / "sub" / "run.toml").write_text(text)
    run = call_json("run", "--config", "sub/run.toml")
    assert Path(run["folder"]).parent == Path("sub/kept")
    assert (tmp_path / "sub" / "out" / "page.html").is_file()
    assert not (tmp_path / "runs").exists()


def test_several_sources_are_read_once_each_and_one_that_nobody_uses_is_refused(
    call: Call, call_json: CallJson, write: Callable[..., str], apple: list[list[str]], prices: Callable[..., str]
) -> None:
    prices(apple, name="OTHER.csv")
    two = TWO.replace('source = "us_stocks"', 'source = "us_stocks"\n[[data]]\nsource = "OTHER.csv"').replace(
        "[data]", "[[data]]", 1
    )
    used = two.replace('symbols = ["MSFT"]', 'symbols = ["OTHER"]')
    assert call_json("run", "--config", write(used), "--no-save")["symbols"] == ["AAPL", "IBM", "OTHER"]
    said = call("run", "--config", write(two), "--no-save", code=2).stderr
    assert "run.toml line 4: no strategy uses data of OTHER.csv (OTHER)" in said


def test_file_of_the_folder_is_found_by_its_name(call: Call, call_json: CallJson, write: Callable[..., str]) -> None:
    said = call("run", code=2).stderr
    assert "no settings file" in said
    assert "lockstep.toml" in said
    write(ONE, "lockstep.toml")
    assert call_json("run", "--no-save")["config"] == "lockstep.toml"


REFUSED: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "unknown key": (ONE.replace("cash", "csh"), 2, ("run.toml line 2", "engine.csh", "hint: did you mean 'cash'?")),
    "parameter": (ONE.replace("fast =", "fats ="), 2, ("run.toml line 18", "'fats'", "hint: did you mean 'fast'?")),
    "value of a parameter": (ONE.replace("fast = 12", 'fast = "a"'), 2, ("run.toml line 18", "fast must be int")),
    "script": (ONE.replace("ema_cross.py", "ema_cros.py"), 2, ("run.toml line 17", "did you mean 'ema_cross.py'?")),
    "class": (ONE.replace("parameters", 'class = "Other"\nparameters'), 1, ("'Other'", "EmaCross")),
    "data": (ONE.replace("us_stocks", "us_stoks"), 2, ("us_stoks", "did you mean 'us_stocks'?")),
    "data file": (ONE.replace("us_stocks", "data/none.csv"), 1, ("data/none.csv",)),
    "symbol": (ONE.replace('"IBM"]', '"IBN"]'), 1, ("IBN",)),
    "range": (ONE.replace("end =", "start = 2011-01-01\nend ="), 2, ("run.toml", "range is empty")),
    "paper": ('mode = "paper"\n' + ONE, 2, ("mode 'paper' is not in this version", "backtest")),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_run_that_cannot_be_says_what_to_mend_and_writes_nothing(
    case: str, call: Call, write: Callable[..., str], tmp_path: Path
) -> None:
    text, code, says = REFUSED[case]
    result = call("run", "--config", write(text), code=code)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    for part in says:
        assert part in result.stderr, result.stderr
    assert not (tmp_path / "runs").exists()


def test_advice_names_the_keys_of_the_file(call_json: CallJson, write: Callable[..., str]) -> None:
    run = call_json("run", "--config", write(ONE.replace("900", "0")), "--no-save")
    assert "the limit is risk.max_position" in run["notice"]
    assert "--max-position" not in run["notice"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("see --calendar", "see data.calendar"),
        ("--sessions or --session", "engine.sessions or data.calendar"),
        ("choose with --class NAME", 'choose with class = "NAME"'),
        ("say --currency USDT, or run", 'say engine.currency = "USDT", or run'),
        ("--traceback shows where", "--traceback shows where"),
    ],
)
def test_option_in_advice_is_told_as_the_key_of_the_file(text: str, said: str) -> None:
    assert in_the_files_words(text) == said


def test_check_tells_a_good_file_and_every_problem_of_a_bad_one(
    call: Call, call_json: CallJson, write: Callable[..., str]
) -> None:
    good = call_json("config", "check", write(TWO))
    assert (good["valid"], [entry["name"] for entry in good["strategies"]]) == (True, ["quick", "slow"])
    assert "run.toml is fit to run" in call("config", "check", "run.toml", code=0).stdout
    name = write(ONE.replace("cash", "csh").replace("900", '"many"'), "bad.toml")
    bad = call_json("config", "check", name, code=2)
    assert not bad["valid"]
    assert [problem["where"] for problem in bad["problems"]] == ["bad.toml line 2", "bad.toml line 13"]
    said = call("config", "check", name, code=2).stderr
    assert said.startswith("error: 2 things to mend")
    assert "did you mean 'cash'?" in said


def test_check_sees_that_scripts_parameters_and_data_are_there(call: Call, write: Callable[..., str]) -> None:
    assert "did you mean 'us_stocks'?" in call("config", "check", write(ONE.replace("stocks", "stoks")), code=2).stderr
    assert "'fats'" in call("config", "check", write(ONE.replace("fast =", "fats =")), code=2).stderr


def test_show_says_every_setting_and_where_it_was_said(
    call: Call, call_json: CallJson, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTEP_ENGINE__LEVERAGE", "2")
    Path(".env").write_text("POLYGON_API_KEY=hunter2\nLOG_LEVEL=info\n")
    told = call_json("config", "show", "--config", write(ONE), "--set", "engine.seed=3")
    found = {entry["key"]: (entry["text"], entry["origin"]) for entry in told["settings"]}
    assert found["engine.cash"] == ("50000", "run.toml line 2")
    assert found["engine.leverage"] == ("2", "LOCKSTEP_ENGINE__LEVERAGE")
    assert found["engine.seed"] == ("3", "--set")
    assert found["venue.bar_path"] == ("pessimistic", "default")
    assert found["strategies.1.parameters.fast"] == ("12", "run.toml line 18")
    assert told["dotenv"] == {"POLYGON_API_KEY": "********", "LOG_LEVEL": "info"}
    shown = call("config", "show", "--config", "run.toml", code=0).stdout
    assert "hunter2" not in shown
    assert "LOCKSTEP_ENGINE__LEVERAGE" in shown
    assert call_json("config", "show")["file"] is None


def test_schema_is_json(call: Call) -> None:
    assert json.loads(call("config", "schema", code=0).stdout)["title"] == "Lockstep settings"


@pytest.mark.slow
def test_new_with_config_writes_settings_that_run(call: Call, call_json: CallJson, tmp_path: Path) -> None:
    told = call_json("new", "folder/trend", "--config")
    assert told["config"] == "folder/trend.toml"
    assert told["next"][1] == "lockstep run --config folder/trend.toml"
    assert call_json("run", "--config", told["config"], "--no-save")["fills"] > 0
    (tmp_path / "folder" / "trend.py").unlink()
    assert "folder/trend.toml exists" in call("new", "folder/trend", "--config", code=2).stderr
    assert not (tmp_path / "folder" / "trend.py").exists(), "nothing is written where something is in the way"


def test_example_with_two_strategies_runs(call_json: CallJson) -> None:
    path = ROOT / "examples" / "two_strategies.toml"
    run = call_json("run", "--config", str(path), "--no-save", "--set", "output.sensitivity=false")
    assert [entry["name"] for entry in run["strategies"]] == ["trend", "dips"]
    assert all(entry["fills"] > 10 for entry in run["strategies"])
    assert run["symbols"] == ["AAPL", "IBM", "MSFT"]


@pytest.mark.data
def test_hours_and_timeframes_of_a_file_are_those_of_the_command_line(
    call_json: CallJson, write: Callable[..., str], data: Path
) -> None:
    source = data / "lean" / "equity" / "usa" / "minute" / "ibm"
    text = (
        f'[engine]\nsessions = ["regular", "pre"]\nmissing_bars = "carry"\n[data]\nsource = "{source}"\n'
        '[output]\nsensitivity = false\n[[strategies]]\nscript = "ema_cross.py"\ntimeframe = "5m"\n'
    )
    words = ("--data", str(source), "--sessions", "pre,regular", "--missing-bars", "carry", "--timeframe", "5m")
    typed = call_json("backtest", "ema_cross.py", *words, "--no-sensitivity", "--no-save")
    run = call_json("run", "--config", write(text), "--no-save")
    assert run["run_hash"] == typed["run_hash"]
    assert run["fills"] == typed["fills"] > 0
    second = '[[strategies]]\nscript = "ema_cross.py"\nname = "slow"\ntimeframe = "15m"\n'
    shares = call_json("run", "--config", write(text + second), "--no-save")["strategies"]
    assert shares[0]["fills"] > shares[1]["fills"] > 0


QUOTED = """from lockstep import Strategy


class Quoted(Strategy):
    def on_quote(self, quote):
        if not self.position:
            self.buy(1)
"""


@pytest.mark.data
def test_kind_of_data_is_chosen_by_the_file(call: Call, call_json: CallJson, data: Path, tmp_path: Path) -> None:
    (tmp_path / "quoted.py").write_text(QUOTED)
    source = next(iter(sorted((data / "lean" / "equity" / "usa" / "tick").glob("*/*quote*.zip"))), None)
    assert source is not None
    text = (
        f'[data]\nsource = "{source}"\nkind = "quotes"\n[output]\nsensitivity = false\n'
        '[[strategies]]\nscript = "quoted.py"\n'
    )
    (tmp_path / "run.toml").write_text(text)
    assert "fit to run" in call("config", "check", "run.toml", code=0).stdout
    assert call_json("run", "--config", "run.toml", "--no-save")["fills"] > 0


def test_catalog_of_imported_history_is_a_source_by_name(call: Call, write: Callable[..., str]) -> None:
    name = write(ONE.replace('"us_stocks"', '"catalog"'))
    call("config", "check", name, code=0)
    said = call("run", "--config", name).stderr  # nothing was imported here
    assert "unknown data set" not in said
    assert said.startswith("error: ")
