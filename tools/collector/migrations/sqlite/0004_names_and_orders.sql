-- Objects get names of their own, and lists by purpose an index that serves them.

-- Which upload the object came with, where the place tells uploads apart; empty in a folder.
ALTER TABLE samples ADD COLUMN object TEXT NOT NULL DEFAULT '';
ALTER TABLE tombstones ADD COLUMN object TEXT NOT NULL DEFAULT '';

-- Objects that had no row and were removed: an upload that comes to its row too late is refused.
CREATE TABLE swept (
    object      TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Each purpose of a sample, with what lists and retention go by.
CREATE TABLE purposes_in_order (
    sample      TEXT NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    purpose     TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    week        TEXT NOT NULL,
    PRIMARY KEY (sample, purpose)
) STRICT, WITHOUT ROWID;

INSERT INTO purposes_in_order (sample, purpose, sequence, week)
SELECT sample, purpose, sequence, week FROM sample_purposes JOIN samples ON id = sample;

DROP TABLE sample_purposes;
ALTER TABLE purposes_in_order RENAME TO sample_purposes;

CREATE INDEX samples_for_purpose ON sample_purposes (purpose, sequence);
CREATE INDEX samples_by_week ON sample_purposes (purpose, week);

-- A sample that is given a new place in the order is given it for each purpose.
CREATE TRIGGER samples_are_renumbered AFTER UPDATE OF sequence ON samples
BEGIN
    UPDATE sample_purposes SET sequence = NEW.sequence WHERE sample = NEW.id;
END;
