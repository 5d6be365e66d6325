-- What readers say of samples, who is to look at one, and what is held back because a voice was heard in it.

CREATE TABLE reviews (
    -- Each change gets a new one, so that a cursor finds it.
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    sample      TEXT NOT NULL,
    -- What it was said for: it goes with this purpose of the sample.
    purpose     TEXT NOT NULL,
    -- `sealed`: an age file, in base64; `plain`: JSON; `assignment`: nothing, the reader is who is to look.
    kind        TEXT NOT NULL CHECK (kind IN ('sealed', 'plain', 'assignment')),
    -- The name of the token; empty in an assignment to nobody.
    reader      TEXT NOT NULL,
    week        TEXT NOT NULL,
    content     TEXT NOT NULL,
    FOREIGN KEY (sample, purpose) REFERENCES sample_purposes (sample, purpose) ON DELETE CASCADE
) STRICT;

CREATE INDEX reviews_of_sample ON reviews (sample, purpose, kind, reader);
CREATE INDEX reviews_in_order ON reviews (purpose, sequence);

-- Samples that are neither listed nor handed out until they are released or deleted.
CREATE TABLE quarantined (
    sample      TEXT PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE,
    anonymizer  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How often a voice was heard, by the version of the anonymiser. Outlives the samples.
CREATE TABLE voices_heard (
    anonymizer  TEXT PRIMARY KEY,
    heard       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
