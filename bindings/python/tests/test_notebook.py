"""The sample notebook."""

import os
import tempfile
import unittest
from unittest import mock

import nbclient
import nbformat
from organization import ROOT, run

NOTEBOOK = ROOT / "samples" / "python" / "errors-per-note.ipynb"


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


class Notebook(unittest.TestCase):
    def test_the_notebook_runs_on_the_demo_dataset(self):
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        stored = len(outputs(notebook))
        with tempfile.TemporaryDirectory() as folder:
            run("sordino", "demo", "--out", folder)
            with mock.patch.dict(os.environ, SORDINO_DATASET=f"{folder}/dataset"):
                # The kernel draws for the notebook, with its own backend, not that of the tests.
                os.environ.pop("MPLBACKEND", None)
                nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
        executed = outputs(notebook)
        self.assertEqual(len(executed), stored)
        pictures = [one for one in executed if "image/png" in one.get("data", {})]
        self.assertEqual(len(pictures), 2)
        [summary] = [one.text for one in executed if "notes expected" in one.get("text", "")]
        expected, missed, extra = (int(word) for word in summary.split() if word.isdigit())
        self.assertGreater(expected, 100)
        self.assertGreater(missed, 0)
        self.assertGreater(extra, 0)

    def test_the_notebook_has_outputs_and_is_small(self):
        self.assertLess(NOTEBOOK.stat().st_size, 300_000)
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        self.assertTrue(all(cell.outputs for cell in notebook.cells if cell.cell_type == "code"))
        self.assertFalse([one for one in outputs(notebook) if one.output_type == "error"])


if __name__ == "__main__":
    unittest.main()
