"""Signs documents and requests as docs/protocol.md and docs/formats.md define, with the package `cryptography`.

Run as a program, it prints a signed plan for the collector.
"""

import base64
import hashlib
import json
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BOTH = ["quality-assurance", "recognition-research"]
# The recipient of the example plan.
RECIPIENT = "age12fscpxgnuwv3n48y89wdzaug6xxe9nyuymnj8j59l307zqf5hs2sdyw4ac"
RECIPIENTS = hashlib.sha256(f"{RECIPIENT}\n".encode()).hexdigest()


def record_id(name):
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def key(name):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def signed(document, name):
    """Signs a document (docs/protocol.md) that consists of ASCII text and integers only (RFC 8785)."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    public = key(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    value = base64.b64encode(key(name).sign(canonical)).decode()
    return document | {"signature": {"algorithm": "ed25519", "key": public, "value": value}}


def consent(record):
    """A consent record of schema 1, which is still supported."""
    content = {
        "schema": 1,
        "id": record,
        "revision": 1,
        "purposes": BOTH,
        "age_band": "adult",
        "guardian": None,
        "notice": {"version": 1, "language": "en", "sha256": "0" * 64},
        "given": "2020-W01",
        "holds_until": "2999-W01",
    }
    return signed(content, record)


def plan():
    content = {
        "version": 1,
        "expires": "2999-01-01",
        "paused": False,
        "recipients": [RECIPIENT],
        "purposes": BOTH,
        "notice_version": 1,
        "consent_days": 365,
        "samples_per_day": 1000000,
        "bytes_per_day": 1 << 40,
        "clip_seconds": 10,
        "pre_roll_seconds": 5,
        "sample_rate": 16000,
        "triggers": {"mark_probability": 1, "random_probability": 0},
    }
    return signed(content, "an organization")


def sealed(sample):
    """Bytes that look like an age file to anybody without a key."""
    digits = "A" * 43
    header = f"age-encryption.org/v1\n-> X25519 {digits}\n{digits}\n--- {digits}\n"
    return header.encode() + bytes(16) + sample.encode() + bytes(16)


def signature(method, url, record, content, headers):
    """The headers of a signed request: RFC 9421 section 3.1, and RFC 9530 for the digest."""
    split = urlsplit(url)
    fields = {}
    if content is not None:
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        fields["content-digest"] = f"sha-256=:{digest}:"
    for name in ("Sordino-Purposes", "Sordino-Recipients"):
        if name in headers:
            fields[name.lower()] = str(headers[name])
    components = {"@method": method, "@authority": split.netloc, "@path": split.path} | fields
    covered = " ".join(f'"{name}"' for name in components)
    parameters = f'({covered});keyid="{record}";alg="ed25519"'
    lines = [f'"{name}": {value}' for name, value in components.items()]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    value = base64.b64encode(key(record).sign(base.encode())).decode()
    result = {"Signature-Input": f"sordino={parameters}", "Signature": f"sordino=:{value}:"}
    if "content-digest" in fields:
        result["Content-Digest"] = fields["content-digest"]
    return result


if __name__ == "__main__":
    print(json.dumps(plan()))
