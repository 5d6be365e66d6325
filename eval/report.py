"""RESULTS.md, and the same for a terminal."""

import dataclasses
import re

import bootstrap
import figures
from attackers import restore
from bootstrap import Figure
from figures import CASES, OVER, SPOKEN
from versions import LABELS


@dataclasses.dataclass
class Result:
    """What was measured on one set of voices and instruments."""

    name: str
    # By version, by case, a row a clip.
    rows: dict[str, dict[str, list[dict]]]
    # By version and attacker.
    speakers: dict[str, dict[str, Figure]]
    # By version: over all pairs, and those whose speech was mostly kept.
    traces: dict[str, dict[str, Figure]]


@dataclasses.dataclass(frozen=True)
class Aim:
    label: str
    most: float | None = None
    least: float | None = None

    def said(self) -> str:
        return (
            f"≤ {short(self.most)}"
            if self.most is not None
            else f"≥ {short(self.least)}"
            if self.least is not None
            else "–"
        )

    def missed(self, value: float) -> bool:
        too_much = self.most is not None and value > self.most + 1e-9
        return too_much or (self.least is not None and value < self.least - 1e-9)


def markdown(results: list[Result], about: list[str], has_words: bool) -> str:
    parts = ["# What is left of voices, and of the music", "\n\n".join(about)]
    for result in results:
        parts += [f"## {title(result.name)}", *tables(result, has_words)]
    return "\n\n".join(parts) + "\n"


def title(name: str) -> str:
    told = {
        "held_back": "Voices and instruments never learned from or tuned on",
        "dev": "dev: voices and instruments of the training, which flatters",
    }
    return told.get(name, name)


def tables(result: Result, has_words: bool) -> list[str]:
    versions = list(result.rows)
    parts = ["### Beside what is aimed at", bar(result, has_words)]
    if has_words:
        parts += [
            "### Words left",
            "By the worst attacker of each clip who heard it: all of them Sordino's, the plain listeners the others'.",
            by_version(result, SPOKEN, "words"),
        ]
        parts += ["By attacker, of Sordino:", by_attacker(result)]
    parts += [
        "### Voice found",
        "Seconds in which Silero hears a voice, by the seconds of speech.",
        by_version(result, SPOKEN, "voice"),
    ]
    with_music = [case for case in CASES if case != "speech"]
    parts += [
        "### Music",
        "Of the music clear of speech, how much was kept:",
        by_version(result, with_music, "music_kept"),
    ]
    parts += ["Notes found (F1) of all notes that were played:", by_version(result, with_music, "f1_all")]
    if "sordino" in versions:
        parts += ["Of Sordino, more closely:", closely(result)]
    return parts


def bar(result: Result, has_words: bool) -> str:
    versions = list(result.rows)
    lines = []

    def line(aim: Aim, figure_of) -> None:
        cells = []
        for version in versions:
            figure = figure_of(version)
            figure, note = figure if isinstance(figure, tuple) else (figure, "")
            missed = version == "sordino" and figure.known() and aim.missed(figure.value)
            cells.append(cell(figure, bold=missed) + (f"<br><sub>{note}</sub>" if note and figure.known() else ""))
        lines.append([aim.label, aim.said(), *cells])

    def worst(column: str):
        def figure_of(version: str):
            figure, case = figures.worst(result.rows[version], SPOKEN, column)
            return figure, CASES.get(case, case) if figure.value > 0 else ""

        return figure_of

    def beside_nothing(case: str, column: str, how: str):
        nothing = result.rows.get("identity", {})
        return lambda version: figures.against(result.rows[version], nothing, case, column, how)

    def worst_level(version: str):
        told = [(beside_nothing(case, "f1_all", "ratio")(version), case) for case in OVER]
        told = [(figure, case) for figure, case in told if figure.known()]
        figure, case = min(told, key=lambda pair: pair[0].value, default=(bootstrap.NONE, ""))
        return figure, CASES.get(case, case)

    def every_attacker(figure_of):
        """Nothing where only plain listeners heard the version."""
        return lambda version: (
            figure_of(version)
            if figures.mean(result.rows[version], SPOKEN, "words rnnoise").known()
            else bootstrap.NONE
        )

    if has_words:
        line(Aim("words left, worst case, plain listeners", most=0.01), worst("words simple"))
        line(Aim("words left, worst case, every attacker", most=0.01), every_attacker(worst("words")))
        overall = every_attacker(lambda v: figures.mean(result.rows[v], SPOKEN, "words"))
        line(Aim("words left, all cases, every attacker", most=0.01), overall)
    line(
        Aim("voice found, share of the speech's time", most=0.005),
        lambda v: figures.mean(result.rows[v], SPOKEN, "voice"),
    )
    for attacker in ("uninformed", "informed"):
        line(
            Aim(f"speaker told, {attacker}: equal error rate", least=0.45), lambda v, a=attacker: result.speakers[v][a]
        )
    if result.traces:
        line(
            Aim("whether anybody spoke: area under the curve"),
            lambda v: result.traces.get(v, {}).get("all", bootstrap.NONE),
        )
        line(Aim("… where speech was erased, not cut"), lambda v: result.traces.get(v, {}).get("kept", bootstrap.NONE))
    line(Aim("music alone: kept", least=0.98), lambda v: figures.mean(result.rows[v], ["music"], "music_kept"))
    line(Aim("music alone: F1 less than doing nothing", least=-0.02), beside_nothing("music", "f1_all", "difference"))
    line(
        Aim("talk, play, talk: clear music kept", least=0.95),
        lambda v: figures.mean(result.rows[v], ["alternate"], "music_kept"),
    )
    line(Aim("speech over music: F1 of doing nothing's, worst level", least=0.85), worst_level)
    line(Aim("speech over music: clips withheld", most=0.10), lambda v: figures.mean(result.rows[v], OVER, "withheld"))
    return table(["", "aim", *(LABELS.get(version, version) for version in versions)], lines)


def by_version(result: Result, cases: list[str], column: str) -> str:
    versions = list(result.rows)
    lines = []
    for case in cases:
        told = [figures.mean(result.rows[version], [case], column) for version in versions]
        count = max(figure.count for figure in told)
        if count:
            lines.append([CASES[case], str(count), *map(cell, told)])
    return table(["", "clips", *(LABELS.get(version, version) for version in versions)], lines)


def by_attacker(result: Result) -> str:
    rows = result.rows.get("sordino", {})
    ways = [way for way in restore.WAYS if any(f"words {way}" in row for case in rows.values() for row in case)]
    lines = []
    for case in SPOKEN:
        told = [figures.mean(rows, [case], f"words {way}") for way in ways]
        if any(figure.known() for figure in told):
            lines.append([CASES[case], *map(cell, told)])
    return table(["of the clips given out", *(restore.WAYS[way][0] for way in ways)], lines)


def closely(result: Result) -> str:
    columns = {
        "f1_before": "F1 before", "f1_kept": "F1 in what was kept", "f1_all": "F1 of all",
        "withheld": "clips withheld", "speech_kept": "speech's time kept",
    }  # fmt: skip
    lines = []
    for case in CASES:
        told = [figures.mean(result.rows["sordino"], [case], column) for column in columns]
        if any(figure.known() for figure in told):
            lines.append([CASES[case], *map(cell, told)])
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
    """Three digits, no zero before the point: .012, 0, 1, −.004."""
    if value == int(value):  # nothing and all are told exactly
        return str(int(value))
    text = f"{abs(value):.3f}".removeprefix("0")
    return f"−{text}" if value < 0 else text


def table(head: list[str], lines: list[list[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])


def for_terminal(text: str) -> str:
    """The same with the tables' columns in line."""
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
