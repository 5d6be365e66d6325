"""Objects with a handle: they cannot be copied or pickled, and are freed once."""

import copy
import gc
import inspect
import multiprocessing
import pickle
import unittest

from device import NOWHERE, RATE, Device

import sordino
from sordino import _handles

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy within a list": lambda item: copy.deepcopy([item]),
    "pickle": pickle.dumps,
    "pickle within a dict": lambda item: pickle.dumps({"engine": item}),
    **{f"pickle {number}": lambda item, number=number: pickle.dumps(item, number) for number in range(6)},
    "reduce": lambda item: item.__reduce__(),
    "reduce_ex": lambda item: item.__reduce_ex__(2),
    "setstate": lambda item: item.__setstate__({"_handle": 1}),
}


def with_handles():
    """Every class whose objects have a handle, with its subclasses."""
    found = set(_handles.with_handles())
    for owner in list(found):
        found.update(owner.__subclasses__())
    return found


def methods_of(owner):
    return [
        (name, method)
        for name, method in inspect.getmembers(owner, inspect.isfunction)
        if not name.startswith("_") and not isinstance(inspect.getattr_static(owner, name), (classmethod, staticmethod))
    ]


class Handles(Device):
    def assert_refuses_copies(self, item):
        for name, make in COPIES.items():
            with self.subTest(item=type(item).__name__, by=name):
                with self.assertRaisesRegex(TypeError, "cannot be copied or pickled"):
                    make(item)

    def test_all_classes_with_handles_are_found(self):
        names = {owner.__name__ for owner in with_handles()}
        self.assertLessEqual({"Engine", "PcmWriter", "CaptureSession", "EngineBuilder"}, names)
        self.assertLessEqual({sordino.Sordino, sordino.PcmWriter}, with_handles())

    def test_objects_cannot_be_copied_or_pickled(self):
        for owner in with_handles():
            self.assert_refuses_copies(owner.__new__(owner))

    def test_open_objects_refuse_copies_and_still_work(self):
        generated = sordino.Sordino.__mro__[1]
        builder = inspect.getmodule(generated).EngineBuilder(f"{self.state}-other", self.organization.key, NOWHERE)
        with self.engine.listen_to_pcm_source(RATE, 1) as writer:
            frames = self.engine._frames(lambda callback: writer)
            for item in (self.engine, writer, builder, frames):
                self.assert_refuses_copies(item)
            gc.collect()
            self.assertEqual(writer.push(bytes(4)), 0)
        self.assertEqual(self.engine.status().pending, 0)
        builder.open().close()

    def test_passing_an_engine_to_a_spawned_process_is_a_type_error(self):
        context = multiprocessing.get_context("spawn")
        with self.assertRaisesRegex(TypeError, "open another engine in another process"):
            context.Process(target=print, args=(self.engine,)).start()
        self.assertEqual(self.engine.status().pending, 0)

    def test_methods_without_a_handle_raise_a_type_error(self):
        for owner in with_handles():
            hollow = owner.__new__(owner)
            for name, method in methods_of(owner):
                required = [
                    parameter
                    for parameter in inspect.signature(method).parameters.values()
                    if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                ]
                with self.subTest(owner=owner.__name__, method=name):
                    # Invalid arguments may be refused before the handle is read.
                    with self.assertRaises((TypeError, AttributeError, ValueError)):
                        method(hollow, *[None] * (len(required) - 1))
            with self.assertRaisesRegex(TypeError, "has no handle"):
                hollow._uniffi_clone_handle()
            self.assertIsInstance(repr(hollow), str)

    def test_the_constructor_says_how_to_open_an_engine(self):
        with self.assertRaisesRegex(TypeError, r"Sordino\.open"):
            sordino.Sordino(str(self.state), self.organization.key, NOWHERE)

    def test_freeing_twice_frees_once(self):
        engine = sordino.Sordino.open(f"{self.state}-other", self.organization.key, NOWHERE)
        writer = engine.listen_to_pcm_source(RATE, 1)
        for item in (writer, engine):
            for _ in range(3):
                item.__del__()
            with self.assertRaisesRegex(TypeError, "has no handle"):
                item._uniffi_clone_handle()
        # It was freed, and so released its folder.
        sordino.Sordino.open(f"{self.state}-other", self.organization.key, NOWHERE).close()

    def test_closing_twice_has_no_effect(self):
        writer = self.engine.listen_to_pcm_source(RATE, 1)
        frames = self.engine._frames(lambda callback: writer)
        for close in (frames.close, writer.stop, self.engine.close):
            close()
            close()


if __name__ == "__main__":
    unittest.main()
