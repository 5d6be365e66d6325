-- The Merkle tree over the access log (RFC 9162, section 2.1): the hash of each complete subtree. It is made of the
-- entries alone; the collector makes it for those of an earlier version when it opens the database.
CREATE TABLE access_tree (
    -- It has 2^level leaves.
    level       BIGINT NOT NULL,
    -- From the leaf numbered position * 2^level on, counted from 0.
    position    BIGINT NOT NULL,
    -- Of a leaf: SHA-256 of a zero byte and what the hash of the entry covers.
    hash        TEXT NOT NULL CHECK (length(hash) = 64),
    PRIMARY KEY (level, position)
);

CREATE FUNCTION refuse_change_of_access_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the tree of the access log is append-only';
END $$;

CREATE TRIGGER access_tree_is_not_changed BEFORE UPDATE OR DELETE ON access_tree
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_access_tree();

CREATE TRIGGER access_tree_is_not_emptied BEFORE TRUNCATE ON access_tree
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_access_tree();

CREATE FUNCTION check_next_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position IS DISTINCT FROM (
        SELECT coalesce(max(position), -1) + 1 FROM access_tree WHERE level = NEW.level) THEN
        RAISE EXCEPTION 'a node of the tree of the access log follows on the last one of its level';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER access_tree_is_appended BEFORE INSERT ON access_tree
FOR EACH ROW EXECUTE FUNCTION check_next_node();
