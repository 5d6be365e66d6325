-- The epoch of this database: a random number that devices are told with each answer. It is drawn again where the
-- database was put back from a backup. One row; no backup holds it.
CREATE TABLE epoch (
    epoch       TEXT NOT NULL,
    -- How many withdrawals and deletions were committed under it.
    taken_back  INTEGER NOT NULL,
    -- Which server, and which of its timelines, the row was written on; empty for a file.
    place       TEXT NOT NULL
) STRICT;
