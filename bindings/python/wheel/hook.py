"""The build hook of hatchling, which adds the library, its bindings by UniFFI, their types, and licenses to the wheel."""

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


# Licenses and credits of the library and of the weights in it, below the root of the repository.
NOTICES = ["LICENSE-MIT", "LICENSE-APACHE", "dsp/weights/silero_vad_16k.LICENSE", "dsp/weights/CREDITS.md"]


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        here = Path(self.root)
        self.made = tempfile.TemporaryDirectory()
        made = Path(self.made.name)
        subprocess.run([os.environ["SORDINO_XTASK"], "generate", "python", made], check=True, stdout=sys.stderr)
        subprocess.run([sys.executable, here / "wheel/stub.py", made / "sordino.py", made / "sordino.pyi"], check=True)
        (made / "__init__.py").touch()
        build_data["force_include"] = {
            str(made / name): f"sordino/_sordino/{name}" for name in sorted(os.listdir(made))
        }
        root, metadata = here.parent.parent, self.metadata
        for notice in NOTICES:
            path = f"{metadata.name}-{metadata.version}.dist-info/licenses/{Path(notice).name}"
            build_data["force_include"][str(root / notice)] = path
        # For any Python 3, since the library is not an extension module, but only for this system and processor.
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version, build_data, artifact_path):
        self.made.cleanup()
