"""What the reader must know before trusting a figure: warnings from this run, and what no run models yet."""

from collections.abc import Sequence

from lockstep.analytics.report.inputs import DataFacts, ReportInput
from lockstep.analytics.report.measures import Measures
from lockstep.analytics.report.wording import money, percent, plural, span

__all__ = ["data_notes", "not_modelled", "warnings"]

ALWAYS_ABSENT = (
    "Interest on idle cash, borrowing costs of short positions and taxes are not in these figures.",
    "The effect of our own orders on later prices is not modelled: fills do not move the recorded market.",
    "The instruments were chosen by hand: a list picked because its members survived flatters every strategy.",
)

SHORT_YEARS = 90 / 365.25  # below this the summary itself warns


def warnings(run: ReportInput, measures: Measures) -> tuple[str, ...]:
    """Sentences for the top of the page, in order of weight; none twice."""
    manifest, found = run.manifest, list[str]()
    found += manifest.warnings
    found += measures.summary.warnings
    if SHORT_YEARS <= measures.years < 1.0:
        found.append("The run is shorter than a year: annualised figures extrapolate beyond the data.")
    said = any("splits and dividends" in text.lower() for text in manifest.warnings)
    found += of_data(manifest.data, () if said else _of_shares(run))
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
    return tuple(dict.fromkeys(_sentence(text) for text in found))


def of_data(data: tuple[DataFacts, ...], shares: Sequence[DataFacts]) -> list[str]:
    """Gaps and missing adjustments, one sentence for all instruments that share them; those of books the run tells itself."""
    found = []
    gapped = [facts for facts in data if facts.gaps and facts.kind != "book"]
    if gapped:
        total = sum(facts.gaps for facts in gapped)
        longest = max(facts.longest_gap_ns for facts in gapped)
        size = f", the longest {span(longest)} of trading time" if longest else ""
        found.append(f"{plural(total, 'gap')} in the data of {_named(gapped)}{size}; nothing was filled in.")
    found += [
        f"Splits and dividends of {_named([facts for facts in shares if facts.adjustments == state])} are {state}."
        for state in sorted({facts.adjustments for facts in shares} - {"applied"})
    ]
    return found


def _of_shares(run: ReportInput) -> tuple[DataFacts, ...]:
    """The data of what can be split or pay a dividend; where nothing is said of an instrument, it might."""
    others = {facts.symbol for facts in run.manifest.instruments if facts.asset_class not in ("", "equity")}
    return tuple(facts for facts in run.manifest.data if facts.symbol not in others)


def data_notes(run: ReportInput) -> tuple[str, ...]:
    """What the reader of the data had to say, each note once with the symbols it holds for."""
    data = run.manifest.data
    said = dict.fromkeys(note for facts in data for note in facts.notes)
    return tuple(_sentence(f"{note} ({_named([facts for facts in data if note in facts.notes])})") for note in said)


def _named(data: Sequence[DataFacts]) -> str:
    symbols = list(dict.fromkeys(facts.symbol for facts in data))
    return ", ".join(symbols[:6]) + (f" and {len(symbols) - 6} more" if len(symbols) > 6 else "")


def _sentence(text: str) -> str:
    """The text with a capital and a full stop; symbols at the front stay as they are."""
    text = text.strip()
    first = text.split(" ", 1)[0]
    begin = text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
    return begin if begin.endswith((".", "!", "?")) else f"{begin}."


def not_modelled(run: ReportInput) -> tuple[str, ...]:
    """What these figures leave out, as far as the configuration of the run says; the rest always."""
    config, found = run.manifest.config, list[str]()
    fills = config.get("fills")
    rules = {**config, **fills} if isinstance(fills, dict) else config
    data = run.manifest.data
    # On books orders walk levels and stand in queues: neither rule is used there.
    books = {facts.symbol for facts in data if facts.kind == "book"}
    only_books = bool(books) and all(facts.symbol in books for facts in data)
    if "slippage" in rules and not only_books and not _moves(rules["slippage"]):
        found.append("Slippage is not modelled: market orders fill at the recorded price.")
    if "participation" in rules and not only_books:
        share = _amount(rules["participation"])
        found.append(
            f"No order takes more than {percent(share, 0)} of a bar's volume; the rest waits."
            if share
            else "Volume is not a limit: orders fill whole whatever was traded in the bar."
        )
    if any(facts.adjustments != "applied" for facts in _of_shares(run)):
        found.append("Splits and dividends are not modelled for every instrument; see the data used.")
    return (*found, *ALWAYS_ABSENT)


def _moves(slippage: object) -> bool:
    """Whether a slippage setting (a number, its text, or a mapping of them) ever moves a price."""
    if isinstance(slippage, dict):
        return any(_moves(value) for value in slippage.values())
    return _amount(slippage) != 0.0


def _amount(setting: object) -> float:
    """A setting as a number; 0 for none. Exact decimals stand in a manifest as text."""
    if isinstance(setting, int | float | str):
        try:
            return float(setting)
        except ValueError:
            return 0.0
    return 0.0
