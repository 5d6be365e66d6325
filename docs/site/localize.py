"""usage: localize.py FOLDER — takes out of generated pages and styles what a browser would fetch from elsewhere.

Dokka's pages ask for a script that runs samples, and for fonts; without them the system's fonts are shown.
"""

import re
import sys
from pathlib import Path

ELSEWHERE = r"(?:https?:)?//[^\"')\s>]+"
FETCHING = r"(?=[^>]*\brel=[\"']?(?:stylesheet|pre\w+|dns-prefetch|icon))"
IN_PAGES = re.compile(rf"<script\b[^>]*\bsrc=[\"']?{ELSEWHERE}[^>]*>\s*</script>|"
                      rf"<link\b{FETCHING}[^>]*\bhref=[\"']?{ELSEWHERE}[^>]*>")
IN_STYLES = re.compile(rf"@import\s+(?:url\()?\s*[\"']?{ELSEWHERE}[\"']?\s*\)?[^;]*;|"
                       rf"@font-face\s*\{{[^}}]*url\(\s*[\"']?{ELSEWHERE}[^}}]*\}}")


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
