-- No table holds a client address, a user agent or a time finer than an ISO week.

CREATE TABLE plans (
    version     INTEGER PRIMARY KEY,
    -- The very text that was loaded and is served.
    document    TEXT NOT NULL,
    -- The first day on which it rules nothing any more.
    expires     TEXT NOT NULL,
    purposes    TEXT NOT NULL,
    -- How many recipients it names, and the digest that samples sealed to them state.
    recipients          INTEGER NOT NULL,
    recipients_sha256   TEXT NOT NULL
) STRICT;

CREATE TABLE records (
    id          TEXT PRIMARY KEY,
    -- The Ed25519 key that signs its requests, in hexadecimal.
    key         TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    document    TEXT NOT NULL,
    -- What it grants now, and what never again; lists with commas, or empty.
    granted     TEXT NOT NULL,
    withdrawn   TEXT NOT NULL,
    holds_until TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE samples (
    -- Order of arrival. AUTOINCREMENT never gives a number twice, so that cursors stay true.
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    consent     TEXT NOT NULL REFERENCES records (id),
    bytes       INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    week        TEXT NOT NULL
) STRICT;

CREATE INDEX samples_of_record ON samples (consent);

CREATE TABLE sample_purposes (
    sample      TEXT NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    purpose     TEXT NOT NULL,
    PRIMARY KEY (sample, purpose)
) STRICT, WITHOUT ROWID;

-- Which sample may no longer be used for what, in the order in which it was said.
CREATE TABLE withdrawals (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    sample      TEXT NOT NULL,
    purpose     TEXT NOT NULL
) STRICT;

CREATE INDEX withdrawals_of_sample ON withdrawals (sample, purpose);
CREATE INDEX withdrawals_in_order ON withdrawals (purpose, sequence);

-- Deleted ids, for ever: a late upload of one is refused.
CREATE TABLE tombstones (
    sample      TEXT PRIMARY KEY,
    consent     TEXT NOT NULL,
    -- 0 until its object was removed too.
    object_gone INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX objects_to_remove ON tombstones (consent) WHERE object_gone = 0;

CREATE TABLE tokens (
    -- SHA-256 of the token, in hexadecimal; the token itself is kept nowhere.
    sha256      TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    purposes    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who was handed which sample. Only ever added to; `sequence` is the order a hash chain can follow.
CREATE TABLE accesses (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    sample      TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    week        TEXT NOT NULL,
    reader      TEXT NOT NULL
) STRICT;

CREATE INDEX accesses_of_sample ON accesses (sample);
