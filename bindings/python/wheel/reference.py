"""usage: reference.py OUT — writes the API reference of the installed package into the folder OUT, by pdoc.

Methods that a class inherits from a generated class are documented as its own, because pdoc omits them: the generated
module is private.
"""

import sys
from pathlib import Path

import pdoc
import pdoc.doc
import pdoc.render

GENERATED = "sordino._sordino.sordino"
written_here = pdoc.doc.Class.own_members.func


def shown(cls):
    inherited = [
        member
        for (module, _), members in cls.inherited_members.items()
        for member in members
        if module == GENERATED and isinstance(member, pdoc.doc.Function) and not member.name.startswith("_")
    ]
    return written_here(cls) + inherited


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    pdoc.doc.Class.own_members = property(shown)
    pdoc.render.configure(docformat="markdown", show_source=False)
    pdoc.pdoc("sordino", output_directory=Path(sys.argv[1]))
