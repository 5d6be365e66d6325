-- The access log: append-only, its entries chained by their hashes. No PostgreSQL ever held the
-- unchained table that SQLite's migration of this number carries over.

CREATE TABLE accesses (
    -- 1, 2, 3 … without gaps.
    sequence    BIGINT PRIMARY KEY,
    sample      TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    week        TEXT NOT NULL,
    reader      TEXT NOT NULL,
    -- The hash of the entry before; 64 zeros in the first.
    previous    TEXT NOT NULL CHECK (length(previous) = 64),
    -- SHA-256 of the entry without it, in the canonical form of RFC 8785.
    hash        TEXT NOT NULL CHECK (length(hash) = 64)
);

CREATE INDEX accesses_of_sample ON accesses (sample);

CREATE FUNCTION refuse_change_of_accesses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the access log is append-only';
END $$;

CREATE TRIGGER accesses_are_not_changed BEFORE UPDATE OR DELETE ON accesses
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_accesses();

CREATE TRIGGER accesses_are_not_emptied BEFORE TRUNCATE ON accesses
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_accesses();

CREATE FUNCTION check_next_access() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last accesses%ROWTYPE;
BEGIN
    SELECT * INTO last FROM accesses ORDER BY sequence DESC LIMIT 1;
    IF NEW.sequence IS DISTINCT FROM coalesce(last.sequence, 0) + 1
        OR NEW.previous IS DISTINCT FROM coalesce(last.hash, repeat('0', 64)) THEN
        RAISE EXCEPTION 'an entry of the access log follows on the last one';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER accesses_are_appended BEFORE INSERT ON accesses
FOR EACH ROW EXECUTE FUNCTION check_next_access();
