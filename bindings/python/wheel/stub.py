"""usage: stub.py FACE.py STUB.pyi: writes the types of the face that UniFFI printed, from its annotations.

UniFFI annotates what it prints, but the file as a whole is not for a type checker: errors and enums with
values are put together at run time. Here each becomes the classes that it is in the end.
"""

import ast
import pathlib
import sys

HEADER = '''\
# Made by bindings/python/wheel/stub.py of what UniFFI printed. Not to be edited.
import enum
import typing
from typing import Any

from typing_extensions import Self

# What the package's own layer builds upon.
_UniffiLib: Any
_UniffiRustCallStatus: Any
_UniffiForeignBytes: Any
_uniffi_check_call_status: Any
_UniffiFfiConverterTypeSordinoError: Any
'''

# What the layer above has in another form, which would not be a subclass's.
REPLACED = {("Engine", "set_event_listener"), ("PcmWriter", "write"), ("PcmWriter", "write_i16")}


def stub(source: str) -> str:
    module = ast.parse(source)
    public = next(
        [element.value for element in node.value.elts]
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    parts = [HEADER]
    parts += [alias(node) for node in module.body if is_alias(node)]
    classes = {}
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name in public:
            classes.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.FunctionDef) and node.name in public:
            parts.append("\n".join(function(node, "")))
    parts += ["\n".join(class_of(name, nodes)) for name, nodes in classes.items()]
    parts.append(f"__all__ = {public!r}\n")
    return "\n\n".join(parts)


def is_alias(node):
    """`Id = str`: a type that crosses as another."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    value = ast.unparse(node.value)
    return node.targets[0].id[0].isupper() and (value == "str" or value.startswith("typing.List"))


def alias(node):
    return ast.unparse(node)


def class_of(name, nodes):
    bases = [ast.unparse(base) for base in nodes[0].bases]
    variants = [item for node in nodes for item in node.body if isinstance(item, ast.ClassDef)]
    if bases == ["enum.Enum"]:
        lines = [f"class {name}(enum.Enum):"]
        lines += [f"    {ast.unparse(item)}" for item in nodes[0].body if isinstance(item, ast.Assign)]
        return lines
    if variants:
        kept = "(Exception)" if "Exception" in bases else ""
        lines = [f"class {name}{kept}:"]
        lines += [f"    {variant.name} = _{name}_{variant.name}" for variant in variants]
        lines += methods(nodes[-1], own_init=False)
        for variant in variants:
            lines += ["", f"class _{name}_{variant.name}({name}):"]
            lines += methods(variant) or ["    ..."]
        return lines
    # A protocol of UniFFI's is no more than the class that it is for.
    bases = [base for base in bases if not base.endswith("Protocol") or base == "typing.Protocol"]
    listed = f"({', '.join(bases)})" if bases else ""
    return [f"class {name}{listed}:", *(methods(nodes[0]) or ["    ..."])]


def methods(node, own_init=True):
    lines = []
    for item in node.body:
        if not isinstance(item, ast.FunctionDef):
            continue
        if item.name == "__init__":
            if item.args.vararg is None and own_init:
                lines += fields(item) + function(item, "    ")
        elif item.name == "_uniffi_clone_handle":
            lines += ["    _handle: Any", "    def _uniffi_clone_handle(self) -> Any: ..."]
        elif item.name == "_uniffi_make_instance":
            lines += ["    @classmethod", "    def _uniffi_make_instance(cls, handle: Any) -> Self: ..."]
        elif not item.name.startswith("_") and (node.name, item.name) not in REPLACED:
            lines += function(item, "    ")
    return lines


def fields(init):
    arguments = [*init.args.args[1:], *init.args.kwonlyargs]
    return [f"    {a.arg}: {ast.unparse(a.annotation)}" for a in arguments if a.annotation]


def function(node, indent):
    arguments = node.args
    for argument in [*arguments.args, *arguments.kwonlyargs]:
        if argument.annotation is not None:
            argument.annotation = without_default(argument.annotation)
        elif argument.arg not in ("self", "cls"):
            argument.annotation = ast.Name("Any")
    arguments.defaults = [ast.Constant(...) for _ in arguments.defaults]
    arguments.kw_defaults = [value and ast.Constant(...) for value in arguments.kw_defaults]
    returns = ast.unparse(node.returns) if node.returns else "None"
    if indent and not node.returns and not node.name.startswith("_"):
        returns = "bool" if node.name.startswith("is_") else "None"
    lines = [f"{indent}@{ast.unparse(item)}" for item in node.decorator_list]
    return [*lines, f"{indent}def {node.name}({ast.unparse(arguments)}) -> {returns}: ..."]


def without_default(annotation):
    """`Union[object, T]` is how UniFFI writes that T has a default."""
    if ast.unparse(annotation).startswith("typing.Union[object, "):
        return annotation.slice.elts[1]
    return annotation


if __name__ == "__main__":
    face = pathlib.Path(sys.argv[1])
    pathlib.Path(sys.argv[2]).write_text(stub(face.read_text(encoding="utf-8")), encoding="utf-8")
