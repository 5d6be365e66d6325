"""Checks the chain of a collector's access log, as docs/protocol.md defines it, and prints its head.

Usage: verify_audit_log.py LOG [ENTRIES:HASH]
"""

import hashlib
import json
import sys


def head_of(log):
    entries, last = 0, "0" * 64
    for line in log:
        entry = json.loads(line)
        stated = entry.pop("hash")
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        computed = hashlib.sha256(canonical.encode()).hexdigest()
        entries += 1
        if (stated, entry["sequence"], entry["previous"]) != (computed, entries, last):
            sys.exit(f"line {entries}: it was changed, or does not follow on the entry before")
        last = stated
    return f"{entries}:{last}"


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as log:
        head = head_of(log)
    if sys.argv[2:] not in ([], [head]):
        sys.exit(f"the log's head is {head}, not {sys.argv[2]}")
    print(head)


if __name__ == "__main__":
    main()
