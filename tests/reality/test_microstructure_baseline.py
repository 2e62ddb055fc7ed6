"""The baseline on the Binance recordings, fitted and scored anew: the table in the guide is what comes out."""

from pathlib import Path

import pytest

from lockstep.research.baseline import Recording, baseline, read_recording

pytestmark = [pytest.mark.data, pytest.mark.slow]
GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/microstructure.md"
SECOND = 1_000_000_000
MIDNIGHT = 1_723_161_600 * SECOND  # 2024-08-09 00:00 UTC
DAYS = {"rest of 8 August": ("20240808",), "9 August": ("20240808", "20240809")}


def rows_of_the_guide() -> list[list[str]]:
    """The cells of the table's rows."""
    lines = [line for line in GUIDE.read_text().splitlines() if line.startswith("| ") and line.endswith(" % |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def recordings(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Recording]:
    found = {}
    for name, tested, *_ in rows_of_the_guide():
        if (name, tested) in found:
            continue
        folder = tmp_path_factory.mktemp(name)
        for day in DAYS[tested]:
            file = f"binance_{name}_{day}.raw.zst"
            (folder / file).symlink_to(data / "crypto_l2" / file)
        found[name, tested] = read_recording(folder)
    return found


@pytest.mark.parametrize("row", rows_of_the_guide(), ids=lambda row: "-".join(row[:3]))
def test_row_of_the_guide_comes_out_again(row: list[str], recordings: dict[tuple[str, str], Recording]) -> None:
    name, tested, horizon, *told = row
    seconds = int(horizon.removesuffix(" s"))
    split = MIDNIGHT if len(DAYS[tested]) > 1 else None
    score = baseline(recordings[name, tested], horizon_ns=seconds * SECOND, split_ns=split).score
    numbers = [float(cell.removesuffix(" %").replace(",", "")) for cell in told]
    assert numbers[:3] == [score.train, score.test, score.independent]
    assert numbers[3] == pytest.approx(score.r2, abs=2e-3)  # the last digits are LAPACK's
    assert numbers[4] == pytest.approx(100 * score.hit_rate, abs=0.2)


def test_guide_has_every_recording_at_both_horizons() -> None:
    assert len(rows_of_the_guide()) == 12
