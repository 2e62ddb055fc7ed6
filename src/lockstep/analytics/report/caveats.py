"""What the reader must know before trusting a figure: warnings from this run, and what no run models yet."""

from lockstep.analytics.report.inputs import DataFacts, ReportInput
from lockstep.analytics.report.measures import Measures
from lockstep.analytics.report.wording import money, percent, plural, span

__all__ = ["not_modelled", "warnings"]

ALWAYS_ABSENT = (
    "Interest on idle cash, borrowing costs of short positions and taxes are not in these figures.",
    "The effect of our own orders on later prices is not modelled: fills do not move the recorded market.",
    "The instruments were chosen by hand: a list picked because its members survived flatters every strategy.",
)


def warnings(run: ReportInput, measures: Measures) -> tuple[str, ...]:
    """Sentences for the top of the page, in order of weight; none twice."""
    manifest, found = run.manifest, list[str]()
    found += manifest.warnings
    found += measures.summary.warnings
    found += [text for facts in manifest.data for text in of_data(facts)]
    positions = manifest.final.open_positions
    if positions:
        value = sum(float(p.value) for p in positions)
        names = ", ".join(sorted({p.symbol for p in positions}))
        found.append(
            f"{plural(len(positions), 'position')} still open at the end ({names}), worth "
            f"{money(value, manifest.currency)} at the last price; closing them would cost a little more."
        )
    if manifest.counts.denied or manifest.counts.rejected:
        found.append(
            f"{plural(manifest.counts.denied, 'order')} denied by the risk checks and "
            f"{manifest.counts.rejected} rejected by the venue: the strategy did not trade as it meant to."
        )
    if measures.benchmark is None:
        found.append("No buy-and-hold comparison: the run holds no benchmark.")
    if manifest.sensitivity is None:
        found.append("Cost, latency and bar-path sensitivity were not computed for this run.")
    return tuple(dict.fromkeys(sentence(text) for text in found))


def of_data(facts: DataFacts) -> list[str]:
    found = [f"{facts.symbol}: {note}" for note in facts.notes]
    if facts.gaps:
        longest = f", the longest {span(facts.longest_gap_ns)}" if facts.longest_gap_ns else ""
        found.append(f"{facts.symbol}: {plural(facts.gaps, 'gap')} in the data{longest}; nothing was filled in.")
    if facts.adjustments != "applied":
        found.append(f"{facts.symbol}: splits and dividends are {facts.adjustments}.")
    return found


def sentence(text: str) -> str:
    """The text with a capital and a full stop; symbols at the front stay as they are."""
    text = text.strip()
    first = text.split(" ", 1)[0]
    begin = text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
    return begin if begin.endswith((".", "!", "?")) else f"{begin}."


def not_modelled(run: ReportInput) -> tuple[str, ...]:
    """What these figures leave out, as far as the configuration of the run says; the rest always."""
    config, found = run.manifest.config, list[str]()
    if "slippage" in config and not moves(config["slippage"]):
        found.append("Slippage is not modelled: market orders fill at the recorded price.")
    if "participation" in config:
        share = config["participation"]
        found.append(
            f"A bar fills at most {percent(float(share), 0)} of its volume."
            if isinstance(share, int | float) and 0 < share < 1
            else "Volume is not a limit: orders fill whole whatever was traded in the bar."
        )
    if any(facts.adjustments != "applied" for facts in run.manifest.data):
        found.append("Splits and dividends are not modelled for every instrument; see the data used.")
    return (*found, *ALWAYS_ABSENT)


def moves(slippage: object) -> bool:
    """Whether a slippage setting (a number, or a mapping with numbers) ever moves a price."""
    if isinstance(slippage, dict):
        return any(moves(value) for value in slippage.values())
    if isinstance(slippage, bool):
        return slippage
    return isinstance(slippage, int | float) and slippage != 0
