"""Writes RESULTS.md, and its tables for a terminal."""

import dataclasses
import re

import bootstrap
import figures
from attackers import restore, trained
from bootstrap import Figure
from figures import CASES, OVER, SPOKEN, VOICE_KINDS, WITH_MUSIC
from versions import LABELS


@dataclasses.dataclass
class Result:
    """The results for one set of voices and instruments."""

    name: str
    # By version and case, a row per clip.
    rows: dict[str, dict[str, list[dict]]]
    # By version and attacker.
    speakers: dict[str, dict[str, Figure]]
    # By version: over all pairs, and those whose speech was mostly kept.
    traces: dict[str, dict[str, Figure]]
    # By version and instrument family, a row per clip of music alone.
    families: dict[str, dict[str, list[dict]]] = dataclasses.field(default_factory=dict)
    # By version and kind of voice, a row per clip with a voice.
    kinds: dict[str, dict[str, list[dict]]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Target:
    label: str
    max: float | None = None
    min: float | None = None

    def text(self) -> str:
        return (
            f"≤ {short(self.max)}"
            if self.max is not None
            else f"≥ {short(self.min)}"
            if self.min is not None
            else "–"
        )

    def missed(self, value: float) -> bool:
        too_much = self.max is not None and value > self.max + 1e-9
        return too_much or (self.min is not None and value < self.min - 1e-9)


def markdown(results: list[Result], about: list[str], has_words: bool) -> str:
    parts = ["# Privacy evaluation: results", "\n\n".join(about)]
    for result in results:
        parts += [f"## {title(result.name)}", *tables(result, has_words)]
    return "\n\n".join(parts) + "\n"


def title(name: str) -> str:
    titles = {
        "real": "real: recordings of people, instruments and rooms of the test split",
        "packages": "packages: all voices of evaluation-only packages, music of a soundfont",
        "held_back": "held_back: five voices and four instruments of evaluation-only packages",
        "dev": "dev: six other voices and four other instruments of evaluation-only packages",
    }
    return titles.get(name, name)


def tables(result: Result, has_words: bool) -> list[str]:
    versions = list(result.rows)
    parts = ["### Summary", bar(result, has_words)]
    if has_words:
        parts += [
            "### Words left",
            "By the strongest attacker of each clip: all attackers for Sordino, those without inversion for the others.",
            by_version(result.rows, SPOKEN, "words"),
            "By kind of voice:",
            by_version(result.kinds, VOICE_KINDS, "words", VOICE_KINDS),
        ]
        parts += ["Sordino, by attacker:", by_attacker(result)]
    parts += [
        "### Voice detected",
        "Seconds in which Silero detects a voice, relative to the seconds of speech.",
        by_version(result.rows, SPOKEN, "voice"),
        "By kind of voice:",
        by_version(result.kinds, VOICE_KINDS, "voice", VOICE_KINDS),
        "### Music",
        "Share of the music without speech that was kept:",
        by_version(result.rows, WITH_MUSIC, "music_kept"),
        "The same of music alone, by instrument family:",
        by_version(result.families, families(result), "music_kept"),
        "Notes found (F1) of all played notes:",
        by_version(result.rows, WITH_MUSIC, "f1_all"),
        "The same of music alone, by instrument family:",
        by_version(result.families, families(result), "f1_all"),
    ]
    if "sordino" in versions:
        parts += ["Sordino in detail:", closely(result)]
    return parts


def bar(result: Result, has_words: bool) -> str:
    versions = list(result.rows)
    lines = []

    def line(target: Target, figure_of) -> None:
        cells = []
        for version in versions:
            figure = figure_of(version)
            figure, note = figure if isinstance(figure, tuple) else (figure, "")
            missed = version == "sordino" and figure.known() and target.missed(figure.value)
            cells.append(cell(figure, bold=missed) + (f"<br><sub>{note}</sub>" if note and figure.known() else ""))
        lines.append([target.label, target.text(), *cells])

    def worst(column: str):
        def figure_of(version: str):
            figure, case = figures.worst(result.rows[version], SPOKEN, column)
            return figure, CASES.get(case, case) if figure.value > 0 else ""

        return figure_of

    def relative(case: str, column: str, how: str):
        baseline = result.rows.get("identity", {})
        return lambda version: figures.against(result.rows[version], baseline, case, column, how)

    def worst_level(version: str):
        levels = [(relative(case, "f1_all", "ratio")(version), case) for case in OVER]
        levels = [(figure, case) for figure, case in levels if figure.known()]
        figure, case = min(levels, key=lambda pair: pair[0].value, default=(bootstrap.NONE, ""))
        return figure, CASES.get(case, case)

    def all_attackers(figure_of):
        """The figure, or none if only attackers without inversion ran on the version."""
        return lambda version: (
            figure_of(version)
            if figures.mean(result.rows[version], SPOKEN, "words rnnoise").known()
            else bootstrap.NONE
        )

    if has_words:
        line(Target("words left, worst case, attackers without inversion", max=0.01), worst("words simple"))
        line(Target("words left, worst case, all attackers", max=0.01), all_attackers(worst("words")))
        overall = all_attackers(lambda v: figures.mean(result.rows[v], SPOKEN, "words"))
        line(Target("words left, all cases, all attackers", max=0.01), overall)
    line(
        Target("voice detected, share of speech time", max=0.005),
        lambda v: figures.mean(result.rows[v], SPOKEN, "voice"),
    )
    for attacker in ("uninformed", "informed"):
        line(
            Target(f"speaker verification EER, {attacker} attacker", min=0.45), lambda v, a=attacker: result.speakers[v][a]
        )
    if result.traces:
        line(
            Target("detecting whether there was speech, area under the curve"),
            lambda v: result.traces.get(v, {}).get("all", bootstrap.NONE),
        )
        line(Target("… where speech was erased, not cut"), lambda v: result.traces.get(v, {}).get("kept", bootstrap.NONE))
    line(Target("music alone: kept", min=0.98), lambda v: figures.mean(result.rows[v], ["music"], "music_kept"))
    line(Target("music alone: loss of note F1", min=-0.02), relative("music", "f1_all", "difference"))
    line(
        Target("talk, play, talk: clear music kept", min=0.95),
        lambda v: figures.mean(result.rows[v], ["alternate"], "music_kept"),
    )
    line(Target("speech over music: note F1 relative to no processing, worst level", min=0.85), worst_level)
    line(Target("speech over music: clips withheld", max=0.10), lambda v: figures.mean(result.rows[v], OVER, "withheld"))
    return table(["", "target", *(LABELS.get(version, version) for version in versions)], lines)


def families(result: Result) -> list[str]:
    return sorted({family for rows in result.families.values() for family in rows})


def by_version(groups: dict[str, dict[str, list[dict]]], names, column: str, labels: dict[str, str] = CASES) -> str:
    """A line for each of `names` that has the figure. `groups`: by version and name, a row per clip."""
    versions = list(groups)
    lines = []
    for name in names:
        row = [figures.mean(groups[version], [name], column) for version in versions]
        count = max((figure.count for figure in row), default=0)
        if count:
            lines.append([labels.get(name, name), str(count), *map(cell, row)])
    return table(["", "clips", *(LABELS.get(version, version) for version in versions)], lines)


def by_attacker(result: Result) -> str:
    rows = result.rows.get("sordino", {})
    labels = {way: label for way, (label, _) in restore.WAYS.items()} | {trained.WAY: trained.LABEL}
    ways = [way for way in labels if any(f"words {way}" in row for case in rows.values() for row in case)]
    lines = []
    for case in SPOKEN:
        row = [figures.mean(rows, [case], f"words {way}") for way in ways]
        if any(figure.known() for figure in row):
            lines.append([CASES[case], *map(cell, row)])
    return table(["of the clips not withheld", *(labels[way] for way in ways)], lines)


def closely(result: Result) -> str:
    columns = {
        "f1_before": "F1 before", "f1_kept": "F1 in kept audio", "f1_all": "F1 of all",
        "withheld": "clips withheld", "speech_kept": "speech time kept",
    }  # fmt: skip
    lines = []
    for case in CASES:
        row = [figures.mean(result.rows["sordino"], [case], column) for column in columns]
        if any(figure.known() for figure in row):
            lines.append([CASES[case], *map(cell, row)])
    return table(["", *columns.values()], lines)


def cell(figure: Figure, bold: bool = False) -> str:
    if not figure.known():
        return "–"
    value, low, high = map(short, (figure.value, figure.low, figure.high))
    value_shown = f"**{value}**" if bold else value
    if low == high == value:
        return value_shown
    return f"{value_shown} <sub>{low}{' to ' if figure.low < 0 else '–'}{high}</sub>"


def short(value: float) -> str:
    """Three decimals without a zero before the point: .012, 0, 1, −.004."""
    if value == int(value):  # 0 and 1 are exact
        return str(int(value))
    text = f"{abs(value):.3f}".removeprefix("0")
    return f"−{text}" if value < 0 else text


def table(head: list[str], lines: list[list[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])


def for_terminal(text: str) -> str:
    """The text with aligned columns."""
    text = re.sub(r"<br><sub>(.*?)</sub>", r" · \1", text)
    text = re.sub(r" <sub>(.*?)</sub>", r" (\1)", text).replace("**", "")
    out, block = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            block.append([part.strip() for part in line.strip("|").split("|")])
            continue
        out += aligned(block)
        block = []
        out.append(line)
    return "\n".join(out)


def aligned(block: list[list[str]]) -> list[str]:
    if not block:
        return []
    block = [line for line in block if not set("".join(line)) <= set("-:")]
    widths = [max(len(line[column]) for line in block) for column in range(len(block[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in block]
