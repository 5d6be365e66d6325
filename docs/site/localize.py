"""usage: localize.py FOLDER — removes from generated pages and styles what a browser would load from a third party.

Dokka's pages load a script that runs samples, and fonts; without them the browser uses the system's fonts.
"""

import re
import sys
from pathlib import Path

THIRD_PARTY = r"(?:https?:)?//[^\"')\s>]+"
FETCHING = r"(?=[^>]*\brel=[\"']?(?:stylesheet|pre\w+|dns-prefetch|icon))"
IN_PAGES = re.compile(rf"<script\b[^>]*\bsrc=[\"']?{THIRD_PARTY}[^>]*>\s*</script>|"
                      rf"<link\b{FETCHING}[^>]*\bhref=[\"']?{THIRD_PARTY}[^>]*>")
IN_STYLES = re.compile(rf"@import\s+(?:url\()?\s*[\"']?{THIRD_PARTY}[\"']?\s*\)?[^;]*;|"
                       rf"@font-face\s*\{{[^}}]*url\(\s*[\"']?{THIRD_PARTY}[^}}]*\}}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    for pattern, found in (("*.html", IN_PAGES), ("*.css", IN_STYLES)):
        for file in Path(sys.argv[1]).rglob(pattern):
            text = file.read_text(errors="surrogateescape")
            local = found.sub("", text)
            if local != text:
                file.write_text(local, errors="surrogateescape")


if __name__ == "__main__":
    main()
