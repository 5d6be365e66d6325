"""What has a handle: it is neither copied nor pickled, is freed once, and says so where there is none."""

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
    """Every class whose objects have a handle, with the layers above it."""
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

    def test_the_classes_are_found(self):
        names = {owner.__name__ for owner in with_handles()}
        self.assertLessEqual({"Sordino", "Feed", "Listening", "SordinoBuilder"}, names)
        self.assertLessEqual({sordino.Sordino, sordino.Feed}, with_handles())

    def test_objects_of_every_class_refuse_to_be_copied_and_pickled(self):
        for owner in with_handles():
            self.assert_refuses_copies(owner.__new__(owner))

    def test_what_is_open_refuses_and_goes_on(self):
        face = sordino.Sordino.__mro__[1]
        builder = inspect.getmodule(face).SordinoBuilder(f"{self.state}-other", self.organization.key, NOWHERE)
        with self.engine.listen_to_host(RATE, 1) as feed:
            frames = self.engine._frames(lambda ear: feed)
            for item in (self.engine, feed, builder, frames):
                self.assert_refuses_copies(item)
            gc.collect()
            self.assertEqual(feed.push(bytes(4)), 0)
        self.assertEqual(self.engine.status().pending, 0)
        builder.open().shut_down()

    def test_what_is_handed_to_a_spawned_process_is_a_type_error(self):
        context = multiprocessing.get_context("spawn")
        with self.assertRaisesRegex(TypeError, "open another engine in another process"):
            context.Process(target=print, args=(self.engine,)).start()
        self.assertEqual(self.engine.status().pending, 0)

    def test_an_object_without_a_handle_says_so_in_every_method(self):
        for owner in with_handles():
            hollow = owner.__new__(owner)
            for name, method in methods_of(owner):
                required = [
                    parameter
                    for parameter in inspect.signature(method).parameters.values()
                    if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                ]
                with self.subTest(owner=owner.__name__, method=name):
                    # What is refused before the handle is looked at is refused all the same.
                    with self.assertRaises((TypeError, AttributeError, ValueError)):
                        method(hollow, *[None] * (len(required) - 1))
            with self.assertRaisesRegex(TypeError, "nothing behind it"):
                hollow._uniffi_clone_handle()
            self.assertIsInstance(repr(hollow), str)

    def test_an_engine_made_by_its_class_says_how_one_is_opened(self):
        with self.assertRaisesRegex(TypeError, r"Sordino\.open"):
            sordino.Sordino(str(self.state), self.organization.key, NOWHERE)

    def test_what_is_freed_twice_is_freed_once(self):
        engine = sordino.Sordino.open(f"{self.state}-other", self.organization.key, NOWHERE)
        feed = engine.listen_to_host(RATE, 1)
        for item in (feed, engine):
            for _ in range(3):
                item.__del__()
            with self.assertRaisesRegex(TypeError, "nothing behind it"):
                item._uniffi_clone_handle()
        # It was let go of, and so gave its folder back.
        sordino.Sordino.open(f"{self.state}-other", self.organization.key, NOWHERE).shut_down()

    def test_closing_twice_does_no_harm(self):
        feed = self.engine.listen_to_host(RATE, 1)
        frames = self.engine._frames(lambda ear: feed)
        for close in (frames.close, feed.stop, self.engine.shut_down):
            close()
            close()


if __name__ == "__main__":
    unittest.main()
