-- What a plan limits, so that each upload is held to it. Those loaded before are read again when a collector is next
-- started with them.

ALTER TABLE plans ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plans ADD COLUMN samples_per_day INTEGER NOT NULL DEFAULT 9007199254740991;
ALTER TABLE plans ADD COLUMN bytes_per_day INTEGER NOT NULL DEFAULT 9007199254740991;
