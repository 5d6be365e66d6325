"""Verifies the receipt on stdin with the key that it names: its signature, by RFC 8032 and RFC 8785.

Usage: verify_receipt.py < RECEIPT.json; it exits with 0 where nothing was changed.
"""

import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def main() -> None:
    document = json.load(sys.stdin.buffer)
    signature = document.pop("signature")
    # A receipt holds no number but whole ones, which both spell alike.
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["key"]))
    key.verify(base64.b64decode(signature["value"], validate=True), canonical.encode())


if __name__ == "__main__":
    main()
