"""Hooks that let Schemathesis make valid requests in addition to invalid ones.

Requests of devices are signed last, because a signature covers what is sent. The key of a record is derived from its id, so
that every generated id has one. Data that Schemathesis generates as invalid is left unchanged.
"""

import json
import os

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation as Location

from signing import BOTH, RECIPIENTS, consent, record_id, sealed, signature

URL = os.environ["SORDINO_URL"]
TOKEN = os.environ["SORDINO_TOKEN"]
# The record of all samples; requests about consents use their own.
RECORD = record_id("a record")
# Samples that exist; the second one is quarantined during the run.
REVIEWED, QUARANTINED = record_id("a sample"), record_id("a sample with a voice")
PENDING = "pending"


@schemathesis.auth()
class Credentials:
    """Adds a token if the operation requires one, and marks requests that need a signature."""

    def get(self, case, context):
        return TOKEN

    def set(self, case, token, context):
        case.headers = case.headers or {}
        if is_signed(case.operation):
            case.headers["Signature"] = PENDING
        elif case.operation.definition.raw.get("security"):
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.deserializer("application/octet-stream")
def ciphertext(context, response):
    return f"{len(response.content)} bytes of ciphertext"


DELETED = set()


@schemathesis.check
def deleted_samples_stay_deleted(context, response, case):
    """Replaces `use_after_free`, which mistakes the access list, which is kept after deletion, for the sample."""
    if case.operation.path == "/v1/samples/{sample}":
        sample = case.path_parameters["sample"]
        if case.operation.method.upper() == "DELETE" and response.status_code == 204:
            DELETED.add(sample)
        elif sample in DELETED:
            assert response.status_code >= 400, f"{case.method} of a deleted sample succeeded"


@schemathesis.hook
def before_call(context, case, kwargs):
    use_existing_sample(case)
    headers = case.headers or {}
    if not is_signed(case.operation) or headers.get("Signature") != PENDING:
        return
    record = RECORD
    if "record" in (case.path_parameters or {}) and not wrong(case, Location.PATH):
        record = case.path_parameters["record"]
        if case.operation.path.endswith("/withdrawal"):
            register(record)
    if not wrong(case, Location.BODY):
        if case.operation.path == "/v1/consents/{record}":
            case.body = consent(record)
        elif case.operation.path == "/v1/samples/{sample}" and case.method == "PUT":
            case.body = sealed(case.path_parameters["sample"])
    if wrong(case, Location.HEADER):
        return
    for name in list(headers):
        if name.lower() in ("signature", "signature-input", "content-digest"):
            del headers[name]
    if "Sordino-Recipients" in headers:
        headers["Sordino-Recipients"] = RECIPIENTS
    prepared = requests.Request(**case.as_transport_kwargs(URL)).prepare()
    signed = signature(prepared.method, prepared.url, record, body(prepared), headers)
    headers.update(signed)


def use_existing_sample(case):
    """Half of the requests about samples use one that exists."""
    path = case.operation.path
    is_quarantine = path.endswith("/quarantine")
    is_read = path == "/v1/samples/{sample}" and case.method.upper() == "GET"
    is_about_sample = is_quarantine or is_read or path.startswith("/v1/reviews/{sample}")
    if not is_about_sample or wrong(case, Location.PATH):
        return
    if int(case.path_parameters["sample"][-1], 16) % 2:
        case.path_parameters["sample"] = QUARANTINED if is_quarantine else REVIEWED
    if path == "/v1/reviews/{sample}" and case.media_type == "application/octet-stream" and not wrong(case, Location.BODY):
        case.body = sealed(case.path_parameters["sample"])


def is_signed(operation):
    return any("signature" in scheme for scheme in operation.definition.raw.get("security", []))


def wrong(case, location):
    return case.meta is not None and case.meta.is_negative_at(location)


def body(prepared):
    content = prepared.body
    return content.encode() if isinstance(content, str) else content


def register(record):
    document = json.dumps(consent(record)).encode()
    url = f"{URL}/v1/consents/{record}"
    headers = signature("PUT", url, record, document, {})
    # 410 if it was withdrawn before.
    assert requests.put(url, data=document, headers=headers).status_code in (200, 201, 410)


def send(sample):
    url, document = f"{URL}/v1/samples/{sample}", sealed(sample)
    headers = {"Sordino-Purposes": ", ".join(BOTH), "Sordino-Recipients": RECIPIENTS}
    headers |= signature("PUT", url, RECORD, document, headers)
    assert requests.put(url, data=document, headers=headers).status_code in (200, 201)


register(RECORD)
send(REVIEWED)
send(QUARANTINED)
