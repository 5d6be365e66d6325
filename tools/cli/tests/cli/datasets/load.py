"""Loads a pulled dataset with the readers that researchers use, and prints what they say of it as JSON.

usage: load.py audiofolder|shards|bundle|page|webdataset|jams|parquet DIR
"""

import importlib.util
import io
import json
import os
import sys
import tempfile
from pathlib import Path

HOME = tempfile.TemporaryDirectory()
os.environ.update(HF_HOME=HOME.name, HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_UPDATE_DOWNLOAD_COUNTS="0")


def main(kind, folder):
    readers = {reader.__name__: reader for reader in (audiofolder, shards, bundle, page, webdataset, jams, parquet)}
    json.dump(readers[kind](folder), sys.stdout)


def audiofolder(folder):
    """By both doors: as a folder of sounds, and by its card, which states the columns' types."""
    datasets = hugging_face()
    as_folder = datasets.load_dataset("audiofolder", data_dir=str(folder), split="train")
    by_card = datasets.load_dataset(str(folder), split="train")
    return {
        "version": datasets.__version__,
        "as_folder": rows_of(as_folder),
        "by_card": rows_of(by_card),
        "types": {name: type_of(feature) for name, feature in by_card.features.items()},
    }


def shards(folder):
    """By the shards' names, so that types are inferred, and by the card, which names the shards of each split."""
    datasets = hugging_face()
    by_name = datasets.load_dataset("webdataset", data_files=str(folder / "shard-*.tar"), split="train")
    by_card = datasets.load_dataset(str(folder))
    return {
        "by_name": rows_of(by_name, "flac"),
        "by_card": {split: rows_of(samples, "flac") for split, samples in by_card.items()},
    }


def bundle(folder):
    return hugging_face().load_dataset(str(folder), split="train").to_list()


def page(folder):
    """Runs page.py, a program of the documentation, which leaves what it read in `found`."""
    hugging_face()
    names = {}
    exec((folder / "page.py").read_text(), names)
    return names["found"]


def hugging_face():
    """`datasets`, which from version 4 on asks for torchcodec before it lists a sound that is a file already. Where that
    is not installed, what it does of a path or of bytes is done without."""
    import datasets

    datasets.disable_progress_bars()
    if importlib.util.find_spec("torchcodec") is None:
        datasets.Audio.encode_example = lambda _, sound: {"path": sound, "bytes": None} if isinstance(sound, str) else sound
    return datasets


def rows_of(dataset, column="audio"):
    import datasets

    rows = dataset.cast_column(column, datasets.Audio(decode=False)).to_list()
    for row in rows:
        sound = row.pop(column)
        row["seconds heard"] = seconds(sound["path"] if sound["bytes"] is None else io.BytesIO(sound["bytes"]))
        row.pop("jams", None)
    if importlib.util.find_spec("torchcodec") is not None:
        for row, sound in zip(rows, dataset[column]):
            heard = sound.get_all_samples()
            assert heard.sample_rate == 16_000
            assert heard.data.shape == (1, row["seconds heard"] * 16_000)
    return rows


def type_of(feature):
    if isinstance(feature, dict):
        return {name: type_of(inner) for name, inner in feature.items()}
    if isinstance(feature, list):
        return [type_of(feature[0])]
    if hasattr(feature, "feature"):
        return [type_of(feature.feature)]
    return feature.dtype if hasattr(feature, "dtype") else str(feature)


def seconds(sound):
    import soundfile

    samples, rate = soundfile.read(sound, dtype="int16")
    assert (rate, samples.ndim) == (16_000, 1)
    return len(samples) / rate


def webdataset(folder):
    import webdataset as wds

    found = {}
    for split, shards in json.loads((folder / "shards.json").read_text()).items():
        urls = [str(folder / shard) for shard in shards]
        samples = wds.WebDataset(urls, shardshuffle=False, empty_check=False) if urls else []
        found[split] = [
            {
                "key": sample["__key__"],
                "row": json.loads(sample["json"]),
                "jams": json.loads(sample["jams"])["sandbox"]["sample"],
                "seconds heard": seconds(io.BytesIO(sample["flac"])),
            }
            for sample in samples
        ]
    return found


def jams(folder):
    """Each file checked against JAMS's own schema, and the recognized notes scored against the expected ones."""
    import jams as library
    import mir_eval
    import numpy

    found = {}
    for path in sorted(folder.glob("**/*.jams")):
        file = library.load(str(path), validate=True, strict=True)
        notes = {}
        for annotation in file.search(namespace="note_midi"):
            intervals, pitches = annotation.to_interval_values()
            notes[annotation.sandbox.notes] = (intervals, mir_eval.util.midi_to_hz(numpy.array(pitches, dtype=float)))
        (expected, asked), (recognized, heard) = notes["expected"], notes["recognised"]
        scores = mir_eval.transcription.precision_recall_f1_overlap(
            expected, asked, recognized, heard, offset_ratio=None
        )
        found[file.sandbox.sample] = {
            "duration": file.file_metadata.duration,
            "expected": expected.tolist(),
            "recognised": recognized.tolist(),
            "precision": scores[0],
            "recall": scores[1],
        }
    return found


def parquet(folder):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(folder / "index.parquet")
    return {"rows": table.to_pylist(), "types": {field.name: str(field.type) for field in table.schema}}


if __name__ == "__main__":
    # Absolute, since `datasets` takes a name like `webdataset` for that of a reader of its own.
    main(sys.argv[1], Path(sys.argv[2]).resolve())
