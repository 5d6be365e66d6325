"""Checks the chain of a collector's access log, as docs/protocol.md defines it, and prints its head and its root.

Usage: verify_audit_log.py LOG [ENTRIES:HASH]
"""

import hashlib
import json
import sys


def read(log):
    entries, last, subtrees = 0, "0" * 64, []
    for line in log:
        entry = json.loads(line)
        stated = entry.pop("hash")
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        computed = hashlib.sha256(canonical.encode()).hexdigest()
        entries += 1
        if (stated, entry["sequence"], entry["previous"]) != (computed, entries, last):
            sys.exit(f"line {entries}: it was changed, or does not follow on the entry before")
        last = stated
        # Two complete subtrees of one size are one of the next.
        subtrees.append((1, hashlib.sha256(b"\0" + canonical.encode()).digest()))
        while len(subtrees) > 1 and subtrees[-1][0] == subtrees[-2][0]:
            (size, left), (_, right) = subtrees[-2:]
            subtrees[-2:] = [(2 * size, node(left, right))]
    root = subtrees.pop()[1] if subtrees else hashlib.sha256().digest()
    while subtrees:
        root = node(subtrees.pop()[1], root)
    return f"{entries}:{last}", f"{entries}:{root.hex()}"


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as log:
        head, root = read(log)
    if sys.argv[2:] not in ([], [head]):
        sys.exit(f"the log's head is {head}, not {sys.argv[2]}")
    print(head)
    print(root)


if __name__ == "__main__":
    main()
