-- Turns `accesses` into an append-only log whose entries are chained by their hashes. What stood there
-- before waits in `accesses_unchained`: SQLite has no SHA-256, so the collector chains it when it next
-- opens the database, and drops that table in the same transaction.

DROP INDEX accesses_of_sample;
ALTER TABLE accesses RENAME TO accesses_unchained;

-- Who was handed which sample.
CREATE TABLE accesses (
    -- 1, 2, 3 … without gaps.
    sequence    INTEGER PRIMARY KEY,
    sample      TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    week        TEXT NOT NULL,
    reader      TEXT NOT NULL,
    -- The hash of the entry before; 64 zeros in the first.
    previous    TEXT NOT NULL CHECK (length(previous) = 64),
    -- SHA-256 of the entry without it, in the canonical form of RFC 8785. Not UNIQUE: an
    -- `INSERT OR REPLACE` that collides would remove an entry past the triggers.
    hash        TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE INDEX accesses_of_sample ON accesses (sample);

CREATE TRIGGER accesses_are_not_changed BEFORE UPDATE ON accesses
BEGIN
    SELECT RAISE(ABORT, 'the access log is append-only');
END;

CREATE TRIGGER accesses_are_not_removed BEFORE DELETE ON accesses
BEGIN
    SELECT RAISE(ABORT, 'the access log is append-only');
END;

CREATE TRIGGER accesses_are_appended BEFORE INSERT ON accesses
WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM accesses)
  OR NEW.previous IS NOT coalesce(
        (SELECT hash FROM accesses ORDER BY sequence DESC LIMIT 1),
        '0000000000000000000000000000000000000000000000000000000000000000')
BEGIN
    SELECT RAISE(ABORT, 'an entry of the access log follows on the last one');
END;
