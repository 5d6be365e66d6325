"""Opens the age file on stdin with pyrage and writes its plaintext to stdout.

Usage: open_with_pyrage.py IDENTITY_FILE < FILE.age > PLAINTEXT
"""

import sys

import pyrage


def main() -> None:
    with open(sys.argv[1], encoding="ascii") as lines:
        identities = [
            pyrage.x25519.Identity.from_str(line.strip())
            for line in lines
            if line.startswith("AGE-SECRET-KEY-1")
        ]
    sys.stdout.buffer.write(pyrage.decrypt(sys.stdin.buffer.read(), identities))


if __name__ == "__main__":
    main()
