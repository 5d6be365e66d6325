-- Tokens end: by themselves, or when they are revoked. All three are whole days in UTC; those made before have neither.

ALTER TABLE tokens ADD COLUMN created TEXT;
-- The last day on which it is good.
ALTER TABLE tokens ADD COLUMN expires TEXT;
-- The day on which it was revoked.
ALTER TABLE tokens ADD COLUMN revoked TEXT;
