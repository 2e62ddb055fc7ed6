"""Settings files: one schema in three formats, exact values, every problem named with its place, nothing taken on trust."""

import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.model.errors import LockstepError, UsageError
from lockstep.run.settings.kinds import delay_ns
from lockstep.run.settings.lines import json_lines, line_of, toml_lines
from lockstep.run.settings.load import load_settings
from lockstep.run.settings.prepare import config_from
from lockstep.run.settings.presets import PRESETS
from lockstep.run.settings.schema import DATA_KINDS, SECTIONS, json_schema, reference_rows
from lockstep.run.settings.settings import Settings, SettingsError
from lockstep.run.settings.texts import FORMATS
from lockstep.run.settings.yaml_text import read_yaml
from lockstep.sim.models import LogNormal
from lockstep.store.catalog.shapes import KINDS

SMALL = '[data]\nsource = "us_stocks"\n[[strategies]]\nscript = "mine.py"\n'
FULL_TOML = """\
mode = "backtest"
[engine]
cash = 250_000.10
leverage = 2
start = 2005-01-01
end = 2010-06-30T12:00:00+02:00
seed = 7
sessions = ["regular", "pre"]
missing_bars = "carry"
[data]
source = "us_stocks"
symbols = ["AAPL", "ibm"]
calendar = "XNYS"
[venue]
preset = "crypto-remote"
latency = { feed = "1ms", entry = "1.5s" }
slippage_bps = 0.1
participation = "none"
[risk]
max_position = 10
buying_power = false
[output]
sensitivity = false
[[strategies]]
script = "mine.py"
timeframe = "1d"
symbols = ["AAPL", "IBM"]
parameters = { fast = 3, part = 0.1, side = "long", on = true }
"""
FULL_YAML = """\
mode: backtest
engine:
  cash: 250000.10
  leverage: 2
  start: 2005-01-01
  end: 2010-06-30T12:00:00+02:00
  seed: 7
  sessions: [pre, regular]
  missing_bars: carry
data:
  source: us_stocks
  symbols: [AAPL, ibm]
  calendar: XNYS
venue:
  preset: crypto-remote
  latency: {feed: 1ms, entry: 1.5s}
  slippage_bps: 0.1
  participation: none
risk: {max_position: 10, buying_power: false}
output: {sensitivity: false}
strategies:
  - script: mine.py
    timeframe: 1d
    symbols:
      - AAPL
      - IBM
    parameters: {fast: 3, part: 0.1, side: long, "on": true}
"""
FULL_JSON = """\
{"mode": "backtest",
 "engine": {"cash": 250000.10, "leverage": 2, "start": "2005-01-01", "end": "2010-06-30T12:00:00+02:00", "seed": 7,
            "sessions": "pre, regular", "missing_bars": "carry"},
 "data": {"source": "us_stocks", "symbols": ["AAPL", "ibm"], "calendar": "XNYS"},
 "venue": {"preset": "crypto-remote", "latency": {"feed": "1ms", "entry": "1.5s"}, "slippage_bps": 0.1,
           "participation": "none"},
 "risk": {"max_position": 10, "buying_power": false},
 "output": {"sensitivity": false},
 "strategies": [{"script": "mine.py", "timeframe": "1d", "symbols": ["AAPL", "IBM"],
                 "parameters": {"fast": 3, "part": 0.1, "side": "long", "on": true}}]}
"""
FULL = {"toml": FULL_TOML, "yaml": FULL_YAML, "yml": FULL_YAML, "json": FULL_JSON}

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a file and load it, in an environment of its own."""

    def loaded(text: str, *words: str, suffix: str = "toml", env: dict[str, str] | None = None) -> Settings:
        path = tmp_path / f"run.{suffix}"
        path.write_text(text, encoding="utf-8")
        return load_settings(path, words, env or {})

    return loaded


def problems(load: Load, text: str, *words: str, **options: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(text, *words, **options)
    return [problem.text() for problem in caught.value.problems]


def test_four_lines_are_a_whole_file(load: Load) -> None:
    settings = load(SMALL)
    assert settings.table("engine")["cash"] == 100_000
    assert settings.tables["strategies"][0]["script"] == "mine.py"
    assert settings.mode == "backtest"


def test_formats_of_one_content_say_exactly_the_same(load: Load) -> None:
    read = {suffix: load(text, suffix=suffix).tables for suffix, text in FULL.items()}
    assert read["toml"] == read["yaml"] == read["yml"] == read["json"]
    engine, venue = read["toml"]["engine"][0], read["toml"]["venue"][0]
    assert engine["cash"] == Decimal("250000.10")
    assert (engine["start"], engine["end"]) == (1_104_537_600 * 10**9, 1_277_892_000 * 10**9)
    assert (venue["slippage_bps"], venue["participation"]) == (Decimal("0.1"), None)
    assert (venue["latency"].feed_ns, venue["latency"].entry_ns) == (10**6, 1_500 * 10**6)
    assert venue["latency"].fill_ns == 10**6, "what the table does not name is as in the preset"
    assert venue["fees"].text() == "0.1%"
    assert (engine["sessions"], engine["missing_bars"]) == (("pre", "regular"), "carry")
    assert read["toml"]["data"][0]["symbols"] == ("AAPL", "IBM")
    fast, *others = read["toml"]["strategies"][0]["parameters"].values()
    assert isinstance(fast, int)
    assert others == [Decimal("0.1"), "long", True]


@given(st.decimals(min_value="0.01", max_value="1e9", places=2), st.sampled_from(sorted(FORMATS)))
def test_number_of_any_format_arrives_exactly(number: Decimal, suffix: str) -> None:
    text = {".toml": f"cash = {number}", ".json": f'{{"cash": {number}}}'}.get(suffix, f"cash: {number}")
    tree, _ = FORMATS[suffix](text)
    assert tree["cash"] == number
    assert not isinstance(tree["cash"], float)


WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "section": ("[engin]\ncash = 1\n" + SMALL, ("line 1", "'engin'", "did you mean 'engine'?")),
    "section of the documents": (
        SMALL.replace("[data]", "[data_source]"), ("'data_source'", "did you mean 'data'?", "[data] is missing"),
    ),
    "key": ("[engine]\nlevrage = 2\n" + SMALL, ("line 2", "engine.levrage", "did you mean 'leverage'?")),
    "key in the wrong section": ("[engine]\nbar_path = 1\n" + SMALL, ("engine.bar_path", "belongs in [venue]")),
    "key at the top": ("cash = 5\n" + SMALL, ("line 1", "'cash'", "belongs in [engine]")),
    "key of a strategy": (SMALL + 'symbol = "A"\n', ("line 5", "strategies.1.symbol", "did you mean 'symbols'?")),
    "part of a latency": ("[venue]\nlatency = {feeds = 1}\n" + SMALL, ("line 2", "'feeds'", "did you mean 'feed'?")),
    "delay drawn as nothing is": ('[venue]\nlatency = {entry = "normal:5ms:1"}\n' + SMALL, ("entry: latency not understood", "lognormal:180ms:0.4")),
    "delay without a unit": ('[venue]\nlatency = {feed = "5"}\n' + SMALL, ("feed must be a delay", "200ms")),
    "preset": ('[venue]\npreset = "us_equities"\n' + SMALL, ("venue.preset", "did you mean 'us-equities'?")),
    "fees": ('[venue]\nfees = "1 percent"\n' + SMALL, ("venue.fees", "1 percent", "examples")),
    "text for a number": ('[engine]\ncash = "lots"\n' + SMALL, ("line 2", "engine.cash", "'lots'")),
    "list for a number": ("[engine]\ncash = [1]\n" + SMALL, ("engine.cash must be a number", "[1]")),
    "truth for a number": ("[engine]\ncash = true\n" + SMALL, ("engine.cash must be a number", "True")),
    "NaN": ("[engine]\ncash = nan\n" + SMALL, ("engine.cash must be a finite number",)),
    "infinity": ("[engine]\ncash = inf\n" + SMALL, ("engine.cash must be a finite number",)),
    "no cash": ("[engine]\ncash = 0\n" + SMALL, ("engine.cash was 0", "above 0")),
    "number beyond any": ("[engine]\ncash = 1e999999999\n" + SMALL, ("engine.cash must be a finite number",)),
    "number for a text": ("[data]\nsource = 5\n" + SMALL.split("\n", 2)[2], ("data.source must be text", '"5"')),
    "text for a switch": ('[risk]\nbuying_power = "no"\n' + SMALL, ("must be true or false", "'no'")),
    "part of the day": ('[engine]\nsessions = ["post"]\n' + SMALL, ("engine.sessions has 'post'", "pre, regular, after")),
    "fraction for a whole number": ("[engine]\nseed = 1.5\n" + SMALL, ("engine.seed was 1.5", "whole number")),
    "day that does not exist": ('[engine]\nstart = "2018-02-30"\n' + SMALL, ("engine.start", "2018-02-30")),
    "bars that do not divide a day": (SMALL + 'timeframe = "7m"\n', ("line 5", "timeframe", "7m")),
    "participation": ("[venue]\nparticipation = 2\n" + SMALL, ("participation was 2", "to 1, or none")),
    "volume impact": ("[venue]\nvolume_impact = 1\n" + SMALL, ("volume_impact was 1", "0 to below 1")),
    "nothing for a list": (SMALL + "symbols = []\n", ("must be a list of names",)),
    "table for a parameter": (SMALL + "parameters = {a = {b = 1}}\n", ("no single value for a",)),
    "text for a table": ("engine = 5\n" + SMALL, ("engine must be a table", "cash")),
    "table for a list": (SMALL.replace("[[strategies]]", "[strategies]"), ("strategies must be a list of tables",)),
    "strategies missing": ('[data]\nsource = "us_stocks"\n', ("[[strategies]] is missing", "script")),
    "script missing": ('[data]\nsource = "us_stocks"\n[[strategies]]\nname = "a"\n', ("strategies.1.script is missing",)),
    "mode": ('mode = "backtst"\n' + SMALL, ("line 1", "did you mean 'backtest'?")),
    "mode of a later version": ('mode = "live"\n' + SMALL, ("mode 'live' is not in this version",)),
    "symbol without data": (
        SMALL.replace('"us_stocks"', '"us_stocks"\nsymbols = ["AAPL"]') + 'symbols = ["AAPL", "APL"]\n',
        ("line 6", "'APL'", "no data has it"),
    ),
    "data without a strategy": (
        SMALL.replace('"us_stocks"', '"us_stocks"\nsymbols = ["AAPL", "IBM"]') + 'symbols = ["AAPL"]\n',
        ("line 3", "data.symbols has 'IBM'", "no strategy trades it"),
    ),
    "kind of data": (SMALL.replace("[[", 'kind = "bar"\n[['), ("data.kind was 'bar'", "did you mean 'bars'?")),
    "rule for bars without bars": (
        '[venue]\nbar_path = "optimistic"\n' + SMALL.replace("[[", 'kind = "ticks"\n[['),
        ("line 2", "venue.bar_path has no effect", "ticks"),
    ),
    "two of one name": (
        SMALL + 'name = "a"\n[[strategies]]\nscript = "b.py"\nname = "a"\n', ("line 8", "'a' too"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_setting_is_named_with_its_place_and_what_was_meant(case: str, load: Load) -> None:
    text, says = WRONG[case]
    told = "\n".join(problems(load, text))
    for part in ("run.toml", *says):
        assert part in told, told


def test_every_problem_of_a_file_is_told_at_once(load: Load) -> None:
    text = 'mod = 1\n[engine]\ncash = "x"\nseeds = 1\n' + SMALL + 'timeframe = "2d"\n'
    told = problems(load, text)
    assert len(told) == 4
    assert [next(word for word in line.split() if word.startswith(tuple("0123456789"))) for line in told] == [
        "1:", "3:", "4:", "9:"
    ]  # fmt: skip


UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "empty TOML": ("a.toml", b"", "says nothing"),
    "empty JSON": ("a.json", b" \n", "says nothing"),
    "empty YAML": ("a.yaml", b"# only a remark\n", "says nothing"),
    "list": ("a.json", b"[1]", "holds no table of settings but a list"),
    "text": ("a.yaml", b"hello", "holds no table of settings but a text"),
    "not TOML": ("a.toml", b"[engine\n", "not TOML: "),
    "not JSON": ("a.json", b'{"a": 1,}', "not JSON: "),
    "not YAML": ("a.yaml", b"a: [1\n", "line 2"),
    "YAML of TOML": ("a.toml", b"engine:\n  cash: 5\n", "line 1"),
    "other suffix": ("a.ini", b"[engine]\n", "no settings file by its suffix '.ini'"),
    "no suffix": ("settings", b"[engine]\n", "suffix ''"),
    "not UTF-8": ("a.toml", b'a = "\xe9"\n', "not UTF-8"),
    "key twice in TOML": ("a.toml", b"[engine]\ncash = 1\ncash = 2\n", "not TOML"),
    "key twice in JSON": ("a.json", b'{"engine": {"cash": 1, "cash": 2}}', "'cash' is said twice"),
    "key twice in YAML": ("a.yaml", b"engine:\n  cash: 1\n  cash: 2\n", "line 3: engine.cash is said twice"),
    "two YAML documents": ("a.yaml", b"a: 1\n---\nb: 2\n", "document"),
    "alias bomb": ("a.yaml", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "line 1: anchors and aliases"),
    "merge": ("a.yaml", b"a: {<<: {b: 1}}\n", "a key must be a plain name"),
    "list as key": ("a.yaml", b"? [a]\n: 1\n", "a key must be a plain name"),
    "code in a tag": ("a.yaml", b"a: !!python/object/apply:os.system [ls]\n", "python/object/apply"),
    "tag of ours": ("a.yaml", b"a: !mine 5\n", "the tag '!mine' is not read"),
    "number of 5000 digits": ("a.json", b'{"a": ' + b"9" * 5000 + b"}", "5000 digits"),
    "the same in TOML": ("a.toml", b"a = " + b"9" * 5000, "not TOML"),
    "the same in YAML": ("a.yaml", b"a: " + b"9" * 5000, "5000 digits"),
    "nested JSON": ("a.json", b'{"a":' + b"[" * 100_000, "nested too deeply"),
    "nested YAML": ("a.yaml", b"a: " + b"[" * 20_000, "nested too deeply"),
    "nested TOML": ("a.toml", b"a = " + b"[" * 100_000, "nested too deeply"),
    "ten megabytes": ("a.toml", b"#" * 10_000_000, "10,000,000 bytes, a settings file at most 262,144"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_file_that_cannot_be_read_says_why(case: str, tmp_path: Path) -> None:
    name, data, says = UNREADABLE[case]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path / name, (), {})
    assert says in str(caught.value)
    assert name in str(caught.value)


def test_absent_file_folder_and_device_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lockstep.toml").write_text(SMALL)
    with pytest.raises(UsageError, match="does not exist") as caught:
        load_settings(tmp_path / "lockstp.toml", (), {})
    assert "did you mean 'lockstep.toml'?" in caught.value.hint
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        load_settings(tmp_path / "folder.toml", (), {})
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="is no ordinary file"):
        load_settings(tmp_path / "zero.toml", (), {})


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(sorted(FORMATS)))
def test_any_bytes_are_settings_or_a_refusal(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"any{suffix}"
        path.write_bytes(data)
        with pytest.raises(LockstepError):
            load_settings(path, (), {})


@pytest.mark.parametrize("word", ["no", "off", "NO", "yes", "010", "0x1F", "1:30", "2005-01-01", "1_000", "0o7"])
def test_yaml_word_that_older_parsers_turn_into_something_else_stays_a_text(word: str) -> None:
    assert read_yaml(f"a: {word}")[0] == {"a": word}


@pytest.mark.parametrize(("word", "value"), [("true", True), ("12", 12), ("-1.50", Decimal("-1.50")), ('"12"', "12")])
def test_yaml_plain_value_is_what_it_looks_like(word: str, value: Any) -> None:
    found = read_yaml(f"a: {word}")[0]["a"]
    assert (found, type(found)) == (value, type(value))


def test_lines_are_those_of_the_keys() -> None:
    lines = toml_lines(FULL_TOML)
    assert line_of(lines, ("engine", "cash")) == 3
    assert line_of(lines, ("strategies", 0, "symbols")) == 27
    assert line_of(lines, ("strategies", 0, "parameters", "fast")) == 28, "an inline table stands on its own line"
    found = json_lines(json.dumps(json.loads(FULL_JSON), indent=1).replace('"long"', '"symbols"'))
    assert line_of(found, ("engine", "cash")) == 4
    text = json.dumps(json.loads(FULL_JSON), indent=1).splitlines()
    line = line_of(found, ("strategies", 0, "timeframe"))
    assert line is not None
    assert '"timeframe"' in text[line - 1]
    assert line_of(found, ("nowhere",)) is None


@pytest.mark.parametrize(("text", "ns"), [("0", 0), ("200ms", 200_000_000), ("1.5us", 1500), ("2 s", 2 * 10**9)])
def test_delay_is_exact(text: str, ns: int) -> None:
    assert delay_ns(text) == ns


@pytest.mark.parametrize("value", ["-1ms", "1.5ns", "5", "1 week", "", True, 5, None, "1e3s", 0.5])
def test_delay_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(LockstepError, match="must be a delay"):
        delay_ns(value)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_and_a_key_of_its_own_wins(preset: str, load: Load) -> None:
    text = f'[venue]\npreset = "{preset}"\nslippage_bps = 3\n{SMALL}'
    settings = load(text)
    assert settings.table("venue")["slippage_bps"] == 3
    origins = {entry.key: entry.origin for entry in settings.entries}
    assert origins["venue.slippage_bps"].endswith("line 3")
    for key in PRESETS[preset]:
        if key != "slippage_bps":
            assert origins[f"venue.{key}"] == f"preset {preset}"


def test_json_schema_names_every_key_and_nothing_else() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {"mode", *SECTIONS}
    for name, section in SECTIONS.items():
        found = schema["properties"][name]
        table = found.get("items") or found.get("anyOf", [found])[0]
        assert set(table["properties"]) == set(section.by_name)
        assert table["additionalProperties"] is False
    json.dumps(schema, allow_nan=False)


def test_kinds_of_data_are_those_of_the_catalog() -> None:
    assert tuple(KINDS) == DATA_KINDS


def test_reference_has_a_row_for_every_key() -> None:
    rows = {heading: [row[0] for row in rows] for heading, _, rows in reference_rows()}
    assert rows["[engine]"] == list(SECTIONS["engine"].by_name)
    assert rows["[[strategies]]"] == list(SECTIONS["strategies"].by_name)
    assert all(row[3].endswith(".") for _, _, listed in reference_rows() for row in listed)


def test_latency_of_a_file_may_be_drawn_recorded_or_left_to_the_data(load: Load, tmp_path: Path) -> None:
    (tmp_path / "delays.csv").write_text("ts,entry_ns,answer_ns\n5,20,3\n")
    drawn = '[venue]\nlatency = {preset = "none", entry = "20ms+lognormal:180ms:0.4", feed_jitter = "1us"}\nsilence = "2s"\n'
    config = config_from(load(drawn + SMALL))
    assert config.latency.entry_tail == LogNormal(180_000_000, Decimal("0.4"))
    assert (config.latency.entry_ns, config.latency.feed_jitter_ns, config.latency.fill_ns) == (20_000_000, 1_000, 0)
    assert config.books.silence_max_ns == 2_000_000_000
    assert config_from(load('[venue]\nbook_start = "empty"\n' + SMALL)).books.start == "empty"
    measured = config_from(load('[venue]\nlatency = "recorded:delays.csv"\n' + SMALL))
    assert (measured.latency.name, measured.latency.recorded) == ("recorded", ((5, 20, 3),))
    assert config_from(load(SMALL)).latency.name == "auto"
    assert config_from(load('[venue]\npreset = "crypto-remote"\n' + SMALL)).latency.name == "remote"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('latency = "recorded:gone.csv"', "no file of recorded latencies"),
        ('silence = "long"', "silence not understood: 'long'"),
        ('book_start = "ful"', "book_start was 'ful', not one of full, empty"),
        ('recovery = "5"', "recovery not understood: '5'"),
    ],
)
def test_text_of_the_venue_that_means_nothing_is_refused(line: str, says: str, load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        config_from(load(f"[venue]\n{line}\n{SMALL}"))
    assert says in str(caught.value)
