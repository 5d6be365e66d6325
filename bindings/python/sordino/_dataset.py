"""Datasets: folders that `sordino pull` wrote."""

import html
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union, overload

from ._manifest import Manifest
from ._plot import draw_rows
from ._sample import OpenedSample
from ._scoring import NoteErrors, worst_notes
from ._sordino import sordino as _bindings
from ._sound import int16_of

INDEX = ".sordino-pull.json"
#: The number of rows of a dataset that a notebook shows.
ROWS_SHOWN = 20

Keep = Callable[[Manifest], bool]


@dataclass(frozen=True)
class _Entry:
    manifest: Manifest
    shard: Optional[int]


class Dataset:
    """The samples in a folder that `sordino pull` wrote, in any format: a sequence of `OpenedSample`s, by
    index or by id, in the order of their ids.

    It has no copies and reads the folder each time, so samples that a later pull removed, because consent was
    withdrawn, are no longer in it. Pull before each use.
    """

    def __init__(self, folder: "Union[str, os.PathLike[str]]", *, _keep: Tuple[Keep, ...] = ()) -> None:
        self.folder = Path(folder)
        self._keep = _keep
        self._read: Tuple[Any, str, Dict[str, _Entry]] = (None, "", {})
        self._entries()

    @property
    def ids(self) -> List[str]:
        """The samples' ids, in order."""
        return list(self._entries())

    @property
    def manifests(self) -> List[Manifest]:
        """The manifests, without decoding audio."""
        return [entry.manifest for entry in self._entries().values()]

    def filter(
        self,
        keep: Optional[Keep] = None,
        *,
        tag: Optional[str] = None,
        purpose: Optional[str] = None,
        trigger: Optional[str] = None,
        note: Optional[int] = None,
    ) -> "Dataset":
        """The samples that fulfill all given conditions: `keep` is true for the manifest; the exercise has this `tag`,
        or begins with it if it ends in `/`; the `purpose` is granted; the `trigger` is `mark` or `random`;
        a MIDI `note` is expected or was recognized. No audio is decoded."""
        conditions: List[Keep] = [] if keep is None else [keep]
        if tag is not None:
            conditions.append(lambda manifest: _has_tag(manifest, tag))
        if purpose is not None:
            conditions.append(lambda manifest: purpose in manifest["purposes"])
        if trigger is not None:
            conditions.append(lambda manifest: manifest["selection"]["trigger"] == trigger)
        if note is not None:
            conditions.append(lambda manifest: note in _notes(manifest))
        return Dataset(self.folder, _keep=(*self._keep, *conditions))

    def __len__(self) -> int:
        return len(self._entries())

    def __contains__(self, sample: object) -> bool:
        return sample in self._entries()

    def __iter__(self) -> Iterator[OpenedSample]:
        for sample in self.ids:
            try:
                yield self[sample]
            except KeyError:
                continue  # it was withdrawn after the iteration began

    @overload
    def __getitem__(self, which: Union[int, str]) -> OpenedSample: ...
    @overload
    def __getitem__(self, which: slice) -> List[OpenedSample]: ...
    def __getitem__(self, which: Union[int, str, slice]) -> Union[OpenedSample, List[OpenedSample]]:
        entries = self._entries()
        if isinstance(which, slice):
            return [self[sample] for sample in list(entries)[which]]
        sample = which if isinstance(which, str) else list(entries)[which]
        entry = entries.get(sample)
        try:
            if entry is None:
                raise FileNotFoundError
            sound = _bindings.decode_sample(self._flac(sample, entry))
        except FileNotFoundError:
            raise KeyError(f"sample {sample} is not in {self.folder}, or was removed") from None
        return OpenedSample(int16_of(sound.samples), sound.rate, entry.manifest)

    def worst_notes(
        self,
        *,
        by: str = "note",
        metric: str = "f1",
        worst: int = 20,
        trigger: Optional[str] = None,
        tolerance_ms: float = 50.0,
    ) -> List[NoteErrors]:
        """The most frequent errors of the app's recognizer: a row for each MIDI note, exercise, or both (`by`: `note`,
        `exercise`, `exercise,note`), the worst first, weighted, with a 95 % interval if there are at least five consent
        records; rows with fewer follow. `metric` is `f1`; `missed` or `wrong`, of the expected notes; or
        `extra`, of the recognized notes.

        Clips selected at random and clips that the app marked estimate different quantities, so each trigger has its
        own `worst` rows, `random` first, unless one `trigger` is given. `sordino query` has the same results.
        """
        return worst_notes(self.manifests, by, metric, worst, trigger, tolerance_ms)

    def plot(self, ax: Any = None) -> Any:
        """Draws a bar for each sample, in the time of its recording: the kept, removed and erased parts. Returns the axes.
        Needs matplotlib: `pip install sordino[plot]`."""
        return draw_rows(ax, [(m["sample"][:8], m) for m in self.manifests])

    def __repr__(self) -> str:
        return f"<Dataset {str(self.folder)!r}: {len(self)} samples>"

    def _repr_html_(self) -> str:
        rows = "".join(_row(manifest) for manifest in self.manifests[:ROWS_SHOWN])
        head = "".join(
            f"<th>{name}</th>"
            for name in ("sample", "tag", "trigger", "kept", "removed", "expected", "recognized")
        )
        more = len(self) - ROWS_SHOWN
        rest = f"<p>and {more} more</p>" if more > 0 else ""
        title = html.escape(f"{len(self)} samples in {self.folder}")
        return f"<p>{title}</p><table><tr>{head}</tr>{rows}</table>{rest}"

    def _entries(self) -> Dict[str, _Entry]:
        """The entries of the index that pass the filters. The index is read again when it has changed."""
        path = self.folder / INDEX
        try:
            found = path.stat()
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if state != self._read[0]:
                self._read = (state, *self._index(json.loads(path.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.folder} is not a dataset; create one with sordino pull --out {self.folder}"
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} cannot be read: {error!r}; pull into another folder") from error
        kept = self._read[2].items()
        return {sample: entry for sample, entry in kept if self._is_kept(sample, entry)}

    def _index(self, index: Any) -> Tuple[str, Dict[str, _Entry]]:
        samples = sorted(index["samples"].items())
        entries = {name: _Entry(item["manifest"], item.get("shard")) for name, item in samples}
        return index["format"], entries

    def _is_kept(self, sample: str, entry: _Entry) -> bool:
        return self._path(sample, entry).exists() and all(
            keep(entry.manifest) for keep in self._keep
        )

    def _path(self, sample: str, entry: _Entry) -> Path:
        """The file with its audio."""
        kind = self._read[1]
        if kind == "audiofolder":
            return self.folder / "audio" / f"{sample}.flac"
        if kind == "bundle":
            return self.folder / sample / "audio.flac"
        return self.folder / f"shard-{entry.shard or 0:06}.tar"

    def _flac(self, sample: str, entry: _Entry) -> bytes:
        path = self._path(sample, entry)
        if path.suffix != ".tar":
            return path.read_bytes()
        with tarfile.open(path) as shard:
            try:
                member = shard.extractfile(f"{sample}.flac")
            except KeyError:
                raise FileNotFoundError(path) from None
            return b"" if member is None else member.read()


def _has_tag(manifest: Manifest, tag: str) -> bool:
    found = manifest["annotation"].get("tag") or ""
    return found.startswith(tag) if tag.endswith("/") else found == tag


def _notes(manifest: Manifest) -> "set[int]":
    annotation = manifest["annotation"]
    both = [*annotation.get("expected", []), *annotation.get("recognised", [])]
    return {note["midi"] for note in both}


def _row(manifest: Manifest) -> str:
    annotation = manifest["annotation"]
    kept = sum(end - start for start, end in manifest["kept"])
    removed = sum(part["end_s"] - part["start_s"] for part in manifest["removed"])
    selection = manifest["selection"]
    cells = [
        manifest["sample"][:8],
        annotation.get("tag") or "",
        f"{selection['trigger']} ({selection['probability']:g})",
        f"{kept:.1f} s",
        f"{removed:.1f} s",
        f"{len(annotation.get('expected', []))} notes",
        f"{len(annotation.get('recognised', []))} notes",
    ]
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
