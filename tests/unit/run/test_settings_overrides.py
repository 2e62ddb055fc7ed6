"""What stands above a settings file: .env, the environment, --set; which wins, what is refused, what is never shown."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import LockstepError, UsageError
from lockstep.run.settings.load import load_settings
from lockstep.run.settings.overrides import MASK, from_words, masked, read_dotenv
from lockstep.run.settings.settings import Settings, SettingsError

TEXT = """\
[engine]
cash = 1000
[data]
source = "us_stocks"
[venue]
latency = "remote"
[[strategies]]
script = "folder/trend-1.py"
parameters = { Fast = 3 }
[[strategies]]
name = "dips"
script = "trend-1.py"
"""


def load(folder: Path, *words: str, env: dict[str, str] | None = None, dotenv: str | None = None) -> Settings:
    (folder / "run.toml").write_text(TEXT)
    if dotenv is not None:
        (folder / ".env").write_text(dotenv)
    return load_settings(folder / "run.toml", words, env or {})


def origin(settings: Settings, key: str) -> tuple[str, str]:
    return next((entry.text, entry.origin) for entry in settings.entries if entry.key == key)


def test_later_place_wins_and_each_value_says_where_it_comes_from(tmp_path: Path) -> None:
    dotenv = "LOCKSTEP_ENGINE__CASH=2000 # a remark\nexport LOCKSTEP_ENGINE__LEVERAGE='2'\nLOCKSTEP_ENGINE__SEED=2\n"
    env = {"LOCKSTEP_ENGINE__LEVERAGE": "3", "LOCKSTEP_ENGINE__SEED": "3", "HOME": "/nowhere"}
    settings = load(tmp_path, "engine.seed=4", env=env, dotenv=dotenv)
    assert origin(settings, "engine.cash") == ("2000", f"LOCKSTEP_ENGINE__CASH in {tmp_path / '.env'}")
    assert origin(settings, "engine.leverage") == ("3", "LOCKSTEP_ENGINE__LEVERAGE")
    assert origin(settings, "engine.seed") == ("4", "--set")
    assert origin(settings, "venue.slippage_bps") == ("1", "default")
    assert origin(settings, "venue.latency")[1].endswith("run.toml line 6")
    assert settings.table("engine")["seed"] == 4


VALUES: dict[str, tuple[dict[str, str], tuple[str, ...], str, Any]] = {
    "list": ({"LOCKSTEP_STRATEGIES__DIPS__SYMBOLS": "aapl, IBM"}, (), "strategies.2.symbols", ("AAPL", "IBM")),
    "by the script's name": ({"LOCKSTEP_STRATEGIES__TREND_1__NAME": "x"}, (), "strategies.1.name", "x"),
    "by number": ({}, ("strategies.2.timeframe=1d",), "strategies.2.timeframe", "1d"),
    "switch": ({"LOCKSTEP_RISK__BUYING_POWER": "False"}, (), "risk.buying_power", False),
    "none": ({}, ("venue.participation=none",), "venue.participation", None),
    "parameter in capitals": (
        {"LOCKSTEP_STRATEGIES__1__PARAMETERS__FAST": "5"}, (), "strategies.1.parameters", {"Fast": "5"},
    ),
    "parameter the file lacks": (
        {}, ("strategies.dips.parameters.low=20.5",), "strategies.2.parameters", {"low": "20.5"},
    ),
    "mode": ({"LOCKSTEP_MODE": "backtest"}, (), "mode", "backtest"),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_text_from_outside_is_read_as_its_key_asks(case: str, tmp_path: Path) -> None:
    env, words, key, expected = VALUES[case]
    settings = load(tmp_path, *words, env=env)
    section, *rest = key.split(".")
    if not rest:
        assert settings.mode == expected
        return
    tables = settings.tables[section]
    table = tables[int(rest[0]) - 1] if len(rest) == 2 else tables[0]
    assert table[rest[-1]] == expected


def test_one_part_of_a_latency_changes_the_preset_the_file_names(tmp_path: Path) -> None:
    latency = load(tmp_path, env={"LOCKSTEP_VENUE__LATENCY__FEED": "3ms"}).table("venue")["latency"]
    assert (latency.feed_ns, latency.entry_ns) == (3_000_000, 200_000_000)


REFUSED: dict[str, tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]] = {
    "section": ({"LOCKSTEP_ENGIN__CASH": "1"}, (), ("LOCKSTEP_ENGIN__CASH", "'engin'", "did you mean 'engine'?")),
    "key": ({"LOCKSTEP_ENGINE__CSAH": "1"}, (), ("LOCKSTEP_ENGINE__CSAH", "engine.csah", "did you mean 'cash'?")),
    "one underscore": ({"LOCKSTEP_ENGINE_CASH": "1"}, (), ("LOCKSTEP_ENGINE_CASH", "LOCKSTEP_ENGINE__CASH")),
    "value": ({"LOCKSTEP_ENGINE__CASH": ""}, (), ("LOCKSTEP_ENGINE__CASH", "must be a finite number")),
    "no such strategy": ({"LOCKSTEP_STRATEGIES__TREMD_1__NAME": "a"}, (), ("no strategies 'tremd_1'", "'trend_1'")),
    "no key of a strategy": ({"LOCKSTEP_STRATEGIES__DIPS": "a"}, (), ("strategies dips is a table",)),
    "number of a strategy": ({}, ("strategies.3.name=x",), ("--set: there is no strategies '3'",)),
    "through a value": ({}, ("engine.cash.x=1",), ("--set: cash is no table in the file",)),
    "set without a value": ({}, ("engine.cash",), ("--set was 'engine.cash'", "engine.cash=5000")),
    "set without a name": ({}, ("engine.=1",), ("--set was 'engine.=1'",)),
    "set twice": ({}, ("engine.cash=1", "engine.cash=2"), ("--set engine.cash was given twice",)),
    "set of an unknown": ({}, ("engin.cash=1",), ("--set: there is no section", "did you mean 'engine'?")),
    "section as a value": ({}, ("engine=5",), ("engine must be a table",)),
    "strategies as a value": ({}, ("strategies=5",), ("strategies must be a list of tables",)),
    "text for a switch": ({}, ("risk.buying_power=maybe",), ("must be true or false: was 'maybe'",)),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_name_or_value_from_outside_that_means_nothing_is_refused(case: str, tmp_path: Path) -> None:
    env, words, says = REFUSED[case]
    with pytest.raises(UsageError) as caught:
        load(tmp_path, *words, env=env)
    told = f"{caught.value} {caught.value.hint}"
    for part in says:
        assert part in told, told


def test_other_variables_of_ours_are_left_alone(tmp_path: Path) -> None:
    env = dict.fromkeys(("LOCKSTEP_HOME", "LOCKSTEP_DATA", "LOCKSTEP_PURE", "LOCKSTEP_OPT", "ENGINE__CASH"), "x")
    assert load(tmp_path, env=env).above == []


@pytest.mark.parametrize(
    ("dotenv", "says"),
    [
        ("TOKEN\n", "line 1 is not NAME=VALUE"),
        ("A=1\nsecret words here=2\n", "line 2 is not NAME=VALUE"),
        ("LOCKSTEP_HOME=elsewhere\n", "LOCKSTEP_HOME in"),
        ("LOCKSTEP_ENGIN__CASH=1\n", "LOCKSTEP_ENGIN__CASH in"),
    ],
)
def test_dotenv_line_that_means_nothing_is_refused_without_its_text(dotenv: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, dotenv=dotenv)
    assert says in str(caught.value)
    assert ".env" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_dotenv_of_other_programs_is_read_and_never_put_into_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POLYGON_API_KEY", raising=False)
    text = "# keys\n\nPOLYGON_API_KEY=\"a b#c\"\nDATABASE_URL='postgres://u:p@h/d'\nLOG_LEVEL=info # loud\nEMPTY=\n"
    settings = load(tmp_path, dotenv=text)
    assert settings.beside == {
        "POLYGON_API_KEY": "a b#c", "DATABASE_URL": "postgres://u:p@h/d", "LOG_LEVEL": "info", "EMPTY": "",
    }  # fmt: skip
    assert "POLYGON_API_KEY" not in os.environ


@pytest.mark.parametrize(
    "name", ["POLYGON_API_KEY", "alpaca_secret", "TOKEN", "DB_PASSWORD", "DATABASE_URL", "a.b.key"]
)
def test_what_sounds_like_a_secret_is_masked(name: str) -> None:
    assert masked(name, "abc") == MASK
    assert masked("LOG_LEVEL", "abc") == "abc"


def test_secret_among_the_parameters_is_masked_where_settings_are_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, "strategies.dips.parameters.api_key=hunter2")
    assert origin(settings, "strategies.2.parameters.api_key") == (MASK, "--set")


def test_two_strategies_of_one_name_are_told_apart_by_number(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(TEXT.replace('name = "dips"\n', ""))
    with pytest.raises(UsageError, match="2 are called 'trend_1'") as caught:
        load_settings(path, ["strategies.trend_1.timeframe=1d"], {})
    assert "number" in caught.value.hint
    assert load_settings(path, ["strategies.2.timeframe=1d"], {}).tables["strategies"][1]["timeframe"] == "1d"


def test_defaults_alone_need_nothing_and_take_the_environment() -> None:
    settings = load_settings(None, (), {"LOCKSTEP_ENGINE__CASH": "5"})
    assert origin(settings, "engine.cash") == ("5", "LOCKSTEP_ENGINE__CASH")
    with pytest.raises(SettingsError, match="LOCKSTEP_ENGINE__CASH"):
        load_settings(None, (), {"LOCKSTEP_ENGINE__CASH": "x"})


NAMES = st.sampled_from(["engine", "data", "strategies", "venue", "1", "dips", "cash", "latency", "feed", "x", ""])


@given(st.lists(NAMES, max_size=5), st.text(max_size=10))
def test_any_override_is_applied_or_refused(names: list[str], value: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with suppress(LockstepError):
            load(Path(folder), f"{'.'.join(names)}={value}")
        with suppress(LockstepError):
            load(Path(folder), env={f"LOCKSTEP_{'__'.join(names).upper()}": value})


@given(st.text(max_size=60))
def test_any_dotenv_is_read_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, suppress(UsageError):
        path = Path(folder) / ".env"
        path.write_bytes(text.encode(errors="ignore"))
        assert all(isinstance(value, str) for value in read_dotenv(path).values())


@given(st.text(max_size=30))
def test_any_words_of_set_are_a_way_or_a_refusal(word: str) -> None:
    with suppress(UsageError):
        (found,) = from_words([word])
        assert all(found.names)
