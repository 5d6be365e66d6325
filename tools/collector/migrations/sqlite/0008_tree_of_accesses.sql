-- The Merkle tree over the access log (RFC 9162, section 2.1): the hash of each complete subtree. It is made of the
-- entries alone; the collector makes it for those of an earlier version when it opens the database.
CREATE TABLE access_tree (
    -- It has 2^level leaves.
    level       INTEGER NOT NULL,
    -- From the leaf numbered position * 2^level on, counted from 0.
    position    INTEGER NOT NULL,
    -- Of a leaf: SHA-256 of a zero byte and what the hash of the entry covers.
    hash        TEXT NOT NULL CHECK (length(hash) = 64),
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER access_tree_is_not_changed BEFORE UPDATE ON access_tree
BEGIN
    SELECT RAISE(ABORT, 'the tree of the access log is append-only');
END;

CREATE TRIGGER access_tree_is_not_removed BEFORE DELETE ON access_tree
BEGIN
    SELECT RAISE(ABORT, 'the tree of the access log is append-only');
END;

CREATE TRIGGER access_tree_is_appended BEFORE INSERT ON access_tree
WHEN NEW.position IS NOT (
    SELECT coalesce(max(position), -1) + 1 FROM access_tree WHERE level = NEW.level)
BEGIN
    SELECT RAISE(ABORT, 'a node of the tree of the access log follows on the last one of its level');
END;
