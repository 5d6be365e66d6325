-- The newest statement of the organization that the plan is the newest one, as it was signed; devices are handed it with
-- each answer about the plan.

ALTER TABLE plans ADD COLUMN freshness TEXT;
