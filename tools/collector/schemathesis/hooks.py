"""How Schemathesis makes requests that the collector takes, beside those that it must refuse.

Tokens it can send by itself. A signature must cover what is really sent, so requests of devices are signed
last. The key of a record is made from its id, so that each id that is drawn has one. What was drawn to be wrong stays
wrong.
"""

import json
import os

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation as Location

from signing import BOTH, RECIPIENTS, consent, record_id, sealed, signature

URL = os.environ["SORDINO_URL"]
TOKEN = os.environ["SORDINO_TOKEN"]
# Of samples; those of consents bring their own.
RECORD = record_id("a record")
# Samples that are there to be spoken of; the second is quarantined soon.
REVIEWED, HEARD = record_id("a sample"), record_id("a sample with a voice")
DUE = "due"


@schemathesis.auth()
class Credentials:
    """A token where one is asked for, and the sign that a signature is due."""

    def get(self, case, context):
        return TOKEN

    def set(self, case, token, context):
        case.headers = case.headers or {}
        if is_signed(case.operation):
            case.headers["Signature"] = DUE
        elif case.operation.definition.raw.get("security"):
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.deserializer("application/octet-stream")
def ciphertext(context, response):
    return f"{len(response.content)} bytes of ciphertext"


GONE = set()


@schemathesis.check
def what_was_deleted_stays_so(context, response, case):
    """In place of `use_after_free`, which takes the list of accesses, kept for the person, for the sample."""
    if case.operation.path == "/v1/samples/{sample}":
        sample = case.path_parameters["sample"]
        if case.operation.method.upper() == "DELETE" and response.status_code == 204:
            GONE.add(sample)
        elif sample in GONE:
            assert response.status_code >= 400, f"{case.method} of a deleted sample was answered"


@schemathesis.hook
def before_call(context, case, kwargs):
    speak_of_a_sample(case)
    headers = case.headers or {}
    if not is_signed(case.operation) or headers.get("Signature") != DUE:
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


def speak_of_a_sample(case):
    """Half of what is said of samples is said of one that is there."""
    path = case.operation.path
    is_heard = path.endswith("/quarantine")
    is_read = path == "/v1/samples/{sample}" and case.method.upper() == "GET"
    is_meant = is_heard or is_read or path.startswith("/v1/reviews/{sample}")
    if not is_meant or wrong(case, Location.PATH):
        return
    if int(case.path_parameters["sample"][-1], 16) % 2:
        case.path_parameters["sample"] = HEARD if is_heard else REVIEWED
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
    # 410 where it was withdrawn before.
    assert requests.put(url, data=document, headers=headers).status_code in (200, 201, 410)


def send(sample):
    url, document = f"{URL}/v1/samples/{sample}", sealed(sample)
    headers = {"Sordino-Purposes": ", ".join(BOTH), "Sordino-Recipients": RECIPIENTS}
    headers |= signature("PUT", url, RECORD, document, headers)
    assert requests.put(url, data=document, headers=headers).status_code in (200, 201)


register(RECORD)
send(REVIEWED)
send(HEARD)
