"""A device without a collector: an open engine on a temporary folder."""

import pathlib
import tempfile
import unittest

from organization import Organization

import sordino

RATE = 48_000
NOWHERE = "http://127.0.0.1:9"


class Device(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.organization = Organization(folder.name)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name) / "state"
        self.engine = self.open()
        self.addCleanup(self.engine.close)

    def open(self):
        return sordino.Sordino.open(str(self.state), self.organization.key, NOWHERE)
