-- Objects get names of their own, and lists by purpose an index that serves them. The tables are those
-- of SQLite's migration of the same number, where each column is explained.

ALTER TABLE samples ADD COLUMN object TEXT NOT NULL DEFAULT '';
ALTER TABLE tombstones ADD COLUMN object TEXT NOT NULL DEFAULT '';

CREATE TABLE swept (
    object      TEXT PRIMARY KEY
);

ALTER TABLE sample_purposes ADD COLUMN sequence BIGINT;
ALTER TABLE sample_purposes ADD COLUMN week TEXT;
UPDATE sample_purposes SET sequence = samples.sequence, week = samples.week
FROM samples WHERE id = sample;
ALTER TABLE sample_purposes ALTER COLUMN sequence SET NOT NULL;
ALTER TABLE sample_purposes ALTER COLUMN week SET NOT NULL;

CREATE INDEX samples_for_purpose ON sample_purposes (purpose, sequence);
CREATE INDEX samples_by_week ON sample_purposes (purpose, week);

CREATE FUNCTION renumber_sample() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sample_purposes SET sequence = NEW.sequence WHERE sample = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER samples_are_renumbered AFTER UPDATE OF sequence ON samples
FOR EACH ROW EXECUTE FUNCTION renumber_sample();
