#!/usr/bin/env python3
"""Lists the recordings that the voice network learns from, checks a folder of them, and writes the credits.

usage: manifest.py FOLDER            writes recordings.tsv from FOLDER, which has SOURCES.md and INDEX.tsv
       manifest.py --check FOLDER    compares FOLDER with recordings.tsv; the exit status is 1 if they differ
       manifest.py --credits         writes dsp/weights/CREDITS.md from recordings.tsv and attributions.tsv
       manifest.py --summary         prints the table of README.md: licenses, groups and splits

FOLDER has voices/KIND/SET/*.flac, instruments/INSTRUMENT/SET/*.flac, noises/CLASS/*.flac and rooms/*.flac. A row of
recordings.tsv is one set in one folder. Its hash is the SHA-256 of the lines `SHA-256  PATH` of its files, each ended by a
line feed, sorted, with paths relative to FOLDER.
"""

import argparse
import collections
import csv
import fnmatch
import hashlib
import pathlib
import re
import sys
import tomllib
from collections.abc import Iterable

import splits

HERE = pathlib.Path(__file__).resolve().parent
MANIFEST = HERE / "recordings.tsv"
ATTRIBUTIONS = HERE / "attributions.tsv"
CREDITS = HERE.parent.parent / "dsp/weights/CREDITS.md"

GROUPS = ("voices", "instruments", "noises", "rooms")
PACKAGE_GROUPS = ("soundfonts", "synthesis")
COLUMNS = (
    "group", "set", "names", "source", "version", "paths", "license", "stated", "title", "author", "files", "minutes", "split",
    "hash",
)  # fmt: skip

PUBLIC_DOMAIN = "public domain"
# The beginnings of the license columns of SOURCES.md. Other texts need an entry in works.toml or attributions.tsv.
LICENSES = (
    (r"CC0\b", "CC0-1.0"),
    (r"CC BY (\d\.\d)", r"CC-BY-\1"),
    (r"public domain\b", PUBLIC_DOMAIN),
    (r"Apache-2\.0", "Apache-2.0"),
    (r"BSD-3-Clause", "BSD-3-Clause"),
    (r"MIT\b", "MIT"),
    (r"The Unlicense", "Unlicense"),
    (r"University of Iowa MIS", "LicenseRef-Iowa-MIS"),
)
DEEDS = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "MIT": "https://opensource.org/license/mit",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "BSD-3-Clause": "https://opensource.org/license/bsd-3-clause",
    "MIT-Festival": "https://spdx.org/licenses/MIT-Festival.html",
    "Unlicense": "https://unlicense.org/",
    "LicenseRef-Iowa-MIS": "https://theremin.music.uiowa.edu/MIS.html",
    PUBLIC_DOMAIN: "https://creativecommons.org/public-domain/pdm/",
}
NAMES = {
    "LicenseRef-Iowa-MIS": "University of Iowa MIS",
    "CC0-1.0": "CC0 1.0",
    "CC-BY-3.0": "CC BY 3.0",
    "CC-BY-4.0": "CC BY 4.0",
}
# What licenses without a name of their own permit.
TERMS = {
    "LicenseRef-Iowa-MIS": ' ("freely available … used for any projects, without restrictions")',
}
Row = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--credits", action="store_true")
    parser.add_argument("--summary", action="store_true")
    options = parser.parse_args()
    if options.credits:
        CREDITS.write_text(credits_page(read_rows(MANIFEST), read_rows(ATTRIBUTIONS)), encoding="utf-8")
    elif options.summary:
        print(summary(read_rows(MANIFEST)), end="")
    elif options.folder is None:
        parser.error("FOLDER is missing")
    elif options.check:
        faults = check(options.folder, read_rows(MANIFEST))
        print("\n".join(faults) or f"{options.folder} is as listed in {MANIFEST.name}")
        sys.exit(bool(faults))
    else:
        write_rows(MANIFEST, manifest(options.folder))


def manifest(folder: pathlib.Path) -> list[Row]:
    works = tomllib.loads((HERE / "works.toml").read_text(encoding="utf-8"))
    attributions = read_rows(ATTRIBUTIONS)
    rows = []
    for group in GROUPS:
        facts = sources(folder / group / "SOURCES.md")
        for (path, name), files in sorted(members(folder, group).items()):
            fact = facts.get(f"{path.removeprefix('voices/')}/{name}" if group == "voices" else name)
            work = next((work for work in works["work"] if matches(f"{group}:{name}", work["sets"])), None)
            if fact is None or work is None:
                sys.exit(f"{path}: the set {name} is missing in {'SOURCES.md' if fact is None else 'works.toml'}")
            listed = [row for row in attributions if (row["group"], row["set"]) == (group, name)]
            row = measured(folder, path, [file for file, _ in files])
            row |= {"group": path, "set": name, "title": work["title"], "author": work["author"], **fact}
            row["license"] = work.get("license") or (
                " AND ".join(licenses_of(path, name, [origin for _, origin in files], listed)) or license_id(fact["license"], name)
            )
            row["split"] = splits.of(group, name)
            rows.append(row)
    for package in works["package"]:
        row = {column: str(package.get(column, "")) for column in COLUMNS}
        row |= {"set": package["id"], "source": package["package"]}
        row["split"] = "by program" if package["group"] == "soundfonts" else splits.of("voices", package["id"])
        rows.append(row)
    return rows


def check(folder: pathlib.Path, rows: list[Row]) -> list[str]:
    """The differences between `folder` and the rows, a sentence each."""
    faults, known = [], set()
    for row in rows:
        if is_package(row):
            continue
        files = files_of(folder, row)
        known |= set(files)
        where, number = f"{row['group']}, set {row['set']}", int(row["files"])
        if len(files) != number:
            what = f"{number - len(files)} of {number} files are missing" if len(files) < number else f"{len(files)} files instead of {number}"
            which = [stem for stem in stems_of(row) if f"{row['group']}/{stem}.flac" not in files] or [row["names"]]
            faults.append(f"{where}: {what} ({' '.join(which)})")
            continue
        found = measured(folder, row["group"], files)
        if found["hash"] != row["hash"]:
            same = found["minutes"] == row["minutes"]
            how = "of the same length" if same else f"of {found['minutes']} minutes instead of {row['minutes']}"
            faults.append(f"{where}: the {number} files have other content, {how}")
    for file in sorted({str(file.relative_to(folder)) for group in GROUPS for file in (folder / group).rglob("*.flac")} - known):
        faults.append(f"{file}: not in {MANIFEST.name}")
    return faults


def credits_page(rows: list[Row], attributions: list[Row]) -> str:
    """CREDITS.md: works by license, those that weights are learned from first."""
    trained = [row for row in rows if row["split"] in ("train", "by program")]
    other = [row for row in rows if row not in trained]
    minutes = sum(float(row["minutes"] or 0) for row in trained)
    text = [
        "# Credits of the voice network",
        "",
        "The weights `voice_net.f16` were learned from the recordings in the first part, and from instruments that",
        "`models/voice/invent.py` draws at random. All permit it: they are in the public domain, or their license asks for",
        "credit and notices only. The package contains no recording. The weights are licensed as the rest of Sordino, under MIT",
        "or Apache-2.0, at your option. No one named here endorses Sordino.",
        "",
        "Changes: all recordings were converted to 16 kHz, mono, trimmed and raised in level; for training they were cut,",
        "shifted in pitch, filtered, played as notes and mixed with each other.",
        "",
        "Where a work has several licenses, each of its files has one of them. `models/voice/recordings.tsv`, from which",
        "`models/voice/manifest.py` generates this file, lists each set of recordings with its repository, commit, paths, hash,",
        "and the place where its license is stated.",
        "",
        f"## Training ({minutes:.0f} minutes of recordings; packages without a number of files)",
        "",
        *works_by_license(trained),
        "## Authors of single files in training",
        "",
        *files_by_author(trained, attributions),
        "## Validation, calibration and tests only",
        "",
        "No weight was learned from these. They served to choose between networks, to set thresholds, or to measure.",
        "",
        *works_by_license(other),
        "## Authors of single files in validation, calibration and tests",
        "",
        *files_by_author(other, attributions),
    ]
    return "\n".join(text).rstrip("\n") + "\n"


def works_by_license(rows: list[Row]) -> list[str]:
    works: dict[tuple[str, str, str], list[Row]] = collections.defaultdict(list)
    for row in rows:
        works[row["license"], row["title"], row["author"]].append(row)
    lines = []
    for license in sorted({key[0] for key in works}):
        lines += [f"### {full_name(license)}", "", deeds(license), "", "| work | by | from | use | files | minutes |"]
        lines += ["| --- | --- | --- | --- | ---: | ---: |"]
        for key in sorted(key for key in works if key[0] == license):
            _, title, author = key
            sets = works[key]
            origins = ", ".join(sorted({link(row["source"], row["version"]) for row in sets}))
            use = ", ".join(sorted({row["group"].split("/")[0] for row in sets}))
            minutes = sum(float(row["minutes"] or 0) for row in sets)
            files = sum(int(row["files"] or 0) for row in sets)
            counted = f"{files} | {minutes:.1f}" if files else "– | –"
            lines.append(f"| {title} | {author} | {origins} | {use} | {counted} |")
        lines.append("")
    return lines


def files_by_author(rows: list[Row], attributions: list[Row]) -> list[str]:
    sets = {(row["group"].split("/")[0], row["set"]): row["title"] for row in rows}
    lines = ["| work | file | by | license | from |", "| --- | --- | --- | --- | --- |"]
    for row in attributions:
        if title := sets.get((row["group"], row["set"])):
            origin = f"<{row['origin']}>" if row["origin"] else ""
            file = f"`{row['file']}`"
            lines.append(f"| {title} | {file} | {row['author']} | [{full_name(row['license'])}]({DEEDS[row['license']]}) | {origin} |")
    return [*lines, ""]


def summary(rows: list[Row]) -> str:
    """The table of README.md: sets / files / minutes for each license, group and split."""
    cells: dict[tuple[str, str], dict[str, list[Row]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        if not is_package(row):
            cells[row["license"], row["group"].split("/")[0]][row["split"]].append(row)
    lines = ["| license | recordings | " + " | ".join(splits.SPLITS) + " |", "| --- | --- |" + " --- |" * len(splits.SPLITS)]
    for (license, group), by_split in sorted(cells.items(), key=lambda cell: (cell[0][0], GROUPS.index(cell[0][1]))):
        lines.append(f"| {full_name(license)} | {group} | " + " | ".join(counts(by_split[split]) for split in splits.SPLITS) + " |")
    for group in GROUPS:
        of_group = [row for row in rows if row["group"].split("/")[0] == group]
        counted = (counts([row for row in of_group if row["split"] == split]) for split in splits.SPLITS)
        lines.append(f"| all | {group} | " + " | ".join(counted) + " |")
    return "\n".join(lines) + "\n"


def counts(rows: list[Row]) -> str:
    if not rows:
        return "–"
    sets = len({row["set"] for row in rows})
    return f"{sets} / {sum(int(row['files']) for row in rows)} / {sum(float(row['minutes']) for row in rows):.1f}"


def sources(file: pathlib.Path) -> dict[str, Row]:
    """The table rows of a SOURCES.md by the name of the set, found by the table's head, in either of its two forms."""
    facts, columns = {}, []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))]
        if not columns:
            columns = [re.sub(r"licen[cs]e", "license", cell.lower()).split(" (")[0] for cell in cells]
        elif columns[0] in ("id", "set-id") and not set("".join(cells)) <= set("-: "):
            if len(cells) != len(columns):
                sys.exit(f"{file}: {cells[0]} has {len(cells)} cells instead of {len(columns)}")
            facts[cells[0]] = fact(dict(zip(columns, cells)))
    return facts


def fact(cells: Row) -> Row:
    stated = cells.get("where it is stated") or cells["where stated"]
    found = {"license": cells["license"], "stated": stated, "paths": cells["path pattern"].strip("`")}
    if "repository" in cells:
        return found | {"source": f"github {cells['repository']}", "version": cells["commit"]}
    place = cells["repository or package @commit/version"]
    if github := re.match(r"(github \S+) @([0-9a-f]+)", place):
        return found | {"source": github[1], "version": github[2]}
    single = re.fullmatch(r"(npm [^@{]+)@([\d.]+)", place)
    return found | ({"source": single[1], "version": single[2]} if single else {"source": place, "version": ""})


def members(folder: pathlib.Path, group: str) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """The files of each set in each folder, with the name of the source file where INDEX.tsv has one."""
    sets = collections.defaultdict(list)
    index = folder / group / "INDEX.tsv"
    if not index.exists():
        for file in sorted((folder / group).rglob("*.flac")):
            path = file.relative_to(folder)
            sets[str(path.parent.parent), path.parent.name].append((str(path), ""))
        return sets
    for row in read_rows(index):
        parent = (pathlib.PurePath(group) / row["path"]).parent
        path = str(parent.parent if parent.name == row["set"] else parent)
        sets[path, row["set"]].append((f"{group}/{row['path']}", row["source"]))
    return sets


def licenses_of(path: str, name: str, origins: Iterable[str], listed: list[Row]) -> list[str]:
    """The licenses of the files of a set, where attributions.tsv lists them; of all listed if the source files are unknown."""
    if not listed:
        return []
    found = set()
    for origin in origins:
        file = origin.rsplit("/", 1)[-1]
        of_file = [row["license"] for row in listed if not file or fnmatch.fnmatchcase(file, row["file"])]
        if not of_file:
            sys.exit(f"{path}: {file} of the set {name} is missing in attributions.tsv")
        found |= set(of_file)
    return sorted(found)


def license_id(text: str, name: str) -> str:
    for pattern, identifier in LICENSES:
        if found := re.match(pattern, text):
            return found.expand(identifier)
    sys.exit(f"the license of {name} is not known: {text}; add it to works.toml")


def measured(folder: pathlib.Path, path: str, files: list[str]) -> Row:
    lines = sorted(f"{hashlib.sha256((folder / file).read_bytes()).hexdigest()}  {file}\n" for file in files)
    minutes = sum(map(flac_seconds, (folder / file for file in files))) / 60
    return {
        "names": names(path, files),
        "files": str(len(files)),
        "minutes": f"{minutes:.2f}",
        "hash": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }


def names(path: str, files: list[str]) -> str:
    """`SET/*.flac` for a set with a folder of its own; else its files in the folder that it shares, as names or ranges."""
    if pathlib.PurePath(files[0]).parent != pathlib.PurePath(path):
        return f"{pathlib.PurePath(files[0]).parent.name}/*.flac"
    stems = sorted(pathlib.PurePath(file).stem for file in files)
    ranges: list[list[str]] = []
    for stem in stems:
        if ranges and stem.isdigit() and int(stem) == int(ranges[-1][-1]) + 1:
            ranges[-1] = [ranges[-1][0], stem]
        else:
            ranges.append([stem])
    return " ".join("..".join(part) for part in ranges)


def files_of(folder: pathlib.Path, row: Row) -> list[str]:
    """The paths of those files of a row that `folder` has."""
    if stems := stems_of(row):
        return [file for stem in stems if (folder / (file := f"{row['group']}/{stem}.flac")).is_file()]
    return sorted(str(file.relative_to(folder)) for file in (folder / row["group"]).glob(row["names"]))


def stems_of(row: Row) -> list[str]:
    """The names of a row's files, without the extension; none for a set with a folder of its own."""
    if row["names"].endswith("/*.flac"):
        return []
    stems: list[str] = []
    for part in row["names"].split(" "):
        first, _, last = part.partition("..")
        stems += [f"{number:0{len(first)}}" for number in range(int(first), int(last) + 1)] if last else [first]
    return stems


def flac_seconds(file: pathlib.Path) -> float:
    """The length by STREAMINFO (RFC 9639, section 8.2): 20 bits of sample rate, 3 + 5 bits, 36 bits of samples."""
    with file.open("rb") as opened:
        head = opened.read(26)
    if head[:4] != b"fLaC":
        sys.exit(f"{file} is not a FLAC file")
    packed = int.from_bytes(head[18:26], "big")
    return (packed & (1 << 36) - 1) / (packed >> 44)


def is_package(row: Row) -> bool:
    return row["group"] in PACKAGE_GROUPS


def matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def license_parts(license: str) -> list[str]:
    return license.split(" AND ")


def full_name(license: str) -> str:
    return " and ".join(NAMES.get(part, part) for part in license_parts(license))


def deeds(license: str) -> str:
    return " · ".join(f"<{DEEDS[part]}>" + TERMS.get(part, "") for part in license_parts(license))


def link(source: str, version: str) -> str:
    if source.startswith("github "):
        repository = source.removeprefix("github ")
        return f"[{repository}](https://github.com/{repository}/tree/{version})"
    return f"{source} {version}".rstrip()


def read_rows(file: pathlib.Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))


def write_rows(file: pathlib.Path, rows: list[Row]) -> None:
    lines = ["\t".join(COLUMNS), *("\t".join(row[column] for column in COLUMNS) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
