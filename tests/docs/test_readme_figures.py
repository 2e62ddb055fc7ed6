"""What README.md says of order books is what the guides say, whose tables are measured by tests."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = " ".join((ROOT / "README.md").read_text().split())


def row(guide: str, *words: str) -> list[str]:
    """The cells of the one table row of a guide that begins with these."""
    text = (ROOT / "docs" / "guides" / guide).read_text()
    (found,) = re.findall(rf"^\| {re.escape(' | '.join(words))} \|(.*)\|$", text, re.MULTILINE)
    return [cell.strip() for cell in found.split("|")]


def test_readme_market_maker_earned_what_the_guide_says() -> None:
    cells = row("market-making.md", "market_maker", "usdm_btcusdt", "remote", "pessimistic", "defaults")
    _, fills, _, _, fees, net, _, after, _ = cells
    assert f"it has {fills} fills" in README
    assert f"{-round(float(after))} ticks against it in five seconds on average" in README
    assert f"it **loses** {net.removeprefix('-')} USDT, {fees} of them fees" in README


@pytest.mark.parametrize(("name", "recording"), [("ES future", "ESH4"), ("AMZN", "AMZN"), ("BTCUSD", "BTCUSD")])
def test_readme_fidelity_is_that_of_the_guide(name: str, recording: str) -> None:
    levels, exact, touch = row("fill-fidelity.md", recording)
    (said,) = re.findall(rf"\| {name}, [^|]*\| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|", README)
    assert (said[1], said[2], said[3].partition(" of")[0]) == (touch, levels.partition(" (")[0], exact)
    guide = (ROOT / "docs" / "guides" / "fill-fidelity.md").read_text()
    section = guide[guide.index(f"**{recording}: orders**") :]
    assert re.findall(r"\| of these in the half that is scored \| ([\d,]+) \|", section)[0] == said[0]
