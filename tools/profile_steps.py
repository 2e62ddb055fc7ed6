"""What each step of an event costs: strategies that do ever more, on the recorded quotes, by processor time.

    python tools/profile_steps.py [--rounds 12]

Each line's difference to the one above is the price of what was added. The least of several rounds by turns; processor
time, because what else the machine does then counts less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import ours  # noqa: E402 - the repository root is no installed package
from benchmarks.race import Setting, recorded_data  # noqa: E402
from benchmarks.speed import path_of  # noqa: E402

from lockstep.run.backtest import Backtest  # noqa: E402
from lockstep.run.strategy_file import load_strategy  # noqa: E402

ROW = "quotes_two_ema"
DECLARED = """
    def on_start(self):
        self.fast = self.indicator(EMA(10))
        self.slow = self.indicator(EMA(30))
"""
STEPS = {
    "events read, shown to the venue, marked": "    def on_timer(self, timer): pass\n",
    "+ a fresh Quote and an empty handler": "    def on_quote(self, quote): pass\n",
    "+ two declared EMAs": f"{DECLARED}\n    def on_quote(self, quote): pass\n",
    "+ self.fast": f"{DECLARED}\n    def on_quote(self, quote): self.fast\n",
    "+ its value": f"{DECLARED}\n    def on_quote(self, quote): self.fast.value\n",
    "+ both values, compared": f"{DECLARED}\n    def on_quote(self, quote): self.fast.value > self.slow.value\n",
}


def main() -> int:
    """Print ns an event of each step. Returns 1 where the recorded data are absent."""
    parser = argparse.ArgumentParser(description="What each step of an event costs.")
    parser.add_argument("--rounds", type=int, default=12, help="the least of so many rounds")
    rounds = max(1, parser.parse_args().rounds)
    path = path_of(Setting(recorded_data(), repeat=1, quick=False, say=print), ROW)
    if not path.exists():
        print("no recorded data: set LOCKSTEP_DATA to the folder that holds lean/", file=sys.stderr)
        return 1
    data, config = ours.prepare(ROW, [path], None)
    steps = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, body) in enumerate(STEPS.items()):
            file = Path(folder) / f"step_{number}.py"
            file.write_text(f"from lockstep import EMA, Strategy\n\nclass Step(Strategy):\n{body}", encoding="utf-8")
            steps[name] = load_strategy(file)
        steps["+ crosses counted: the row itself"] = load_strategy(ours.ROWS[ROW])
        least = dict.fromkeys(steps, float("inf"))
        for _ in range(rounds):
            for name, strategy in steps.items():
                backtest = Backtest(strategy, data, config)
                start = time.process_time()
                backtest.run()
                least[name] = min(least[name], time.process_time() - start)
    before = 0.0
    for name, seconds in least.items():
        ns = seconds / data[0].info.rows * 1e9
        print(f"{ns:7.1f} ns  {ns - before:+7.1f}  {name}")
        before = ns
    return 0


if __name__ == "__main__":
    sys.exit(main())
