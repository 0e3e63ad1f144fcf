-- Which master key the data were made with: its fingerprint, in the only row.

-- +goose Up
CREATE TABLE master_keys (
    id          BIGINT PRIMARY KEY,
    fingerprint TEXT   NOT NULL
);

-- +goose Down
DROP TABLE master_keys;
