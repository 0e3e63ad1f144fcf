-- Who may have a recording stands in its row, so that GET recording looks up one row instead of two. It is
-- the owner of the meeting; AddMeeting and SaveMeeting are the only places where that is written.

-- +goose Up
ALTER TABLE recordings ADD COLUMN owner BIGINT NOT NULL DEFAULT 0;
UPDATE recordings SET owner = (SELECT m.owner FROM meetings m WHERE m.id = recordings.meeting);

-- +goose Down
ALTER TABLE recordings DROP COLUMN owner;
