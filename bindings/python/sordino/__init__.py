"""Sordino captures music practice for an app's recogniser, and makes anonymous, encrypted samples of
it where the person has consented.

Begin with `Sordino.open`. Sound is 32-bit floats in little-endian `bytes`.
"""

import atexit
import weakref

from . import _sordino
from ._sordino import *
from ._sordino import __all__  # noqa: F401

_open = weakref.WeakSet()


class Sordino(_sordino.Sordino):
    __doc__ = _sordino.Sordino.__doc__

    @classmethod
    def open(cls, folder, organisation_key, collector_url):
        engine = super().open(folder, organisation_key, collector_url)
        _open.add(engine)
        return engine

    open.__func__.__doc__ = _sordino.Sordino.open.__doc__


@atexit.register
def _shut_down_all():
    # A listener that is called while the interpreter goes away takes the process down with it.
    for engine in list(_open):
        try:
            engine.shut_down()
        except SordinoError:
            pass  # what was being heard had ended by a fault; nobody is left to be told
