-- The tables of the first release. One text for SQLite and PostgreSQL, so only
-- what both understand:
--
--   BIGINT   ids, people's numbers, sizes; *_ms are milliseconds, since 1970 for times; 0 is "not yet" or "never"
--   INTEGER PRIMARY KEY   the same, as the key by which SQLite stores the rows, which saves it a second search for each
--            look-up; it must be spelled like this, and PostgreSQL is told that 64 bits are meant in step 2
--   TEXT     also JSON, which is only ever read whole
--   BYTEA    SQLite does not know the word and keeps blobs under it as they are
--   BOOLEAN  0 and 1 in SQLite
--
-- Partial unique indexes carry the rules that two nodes could break between a look and a write.

-- +goose Up
CREATE TABLE tenants (
    key           TEXT    PRIMARY KEY,
    num           BIGINT  NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    recording     BOOLEAN NOT NULL,
    disabled      BOOLEAN NOT NULL,
    created_at_ms BIGINT  NOT NULL
);

CREATE TABLE apps (
    id                 TEXT    PRIMARY KEY,
    num                BIGINT  NOT NULL UNIQUE,
    tenant             TEXT    NOT NULL REFERENCES tenants (key),
    developer_num      BIGINT  NOT NULL,
    name               TEXT    NOT NULL,
    type               TEXT    NOT NULL,
    secret_hash        BYTEA   NOT NULL,
    scopes             TEXT    NOT NULL, -- JSON list
    redirects          TEXT    NOT NULL, -- JSON list
    disabled           BOOLEAN NOT NULL,
    event_url          TEXT    NOT NULL,
    event_types        TEXT    NOT NULL, -- JSON list
    encrypt_key        TEXT    NOT NULL, -- sealed with the master key
    verification_token TEXT    NOT NULL, -- sealed with the master key
    created_at_ms      BIGINT  NOT NULL
);
CREATE INDEX apps_of_tenant ON apps (tenant, created_at_ms);

CREATE TABLE users (
    num           INTEGER  PRIMARY KEY,
    tenant        TEXT    NOT NULL REFERENCES tenants (key),
    user_id       TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    email         TEXT    NOT NULL UNIQUE,
    role          TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at_ms BIGINT  NOT NULL,
    UNIQUE (tenant, user_id)
);
CREATE INDEX users_of_tenant ON users (tenant, created_at_ms);

CREATE TABLE tenant_issues (
    app          TEXT   NOT NULL REFERENCES apps (id),
    tenant       TEXT   NOT NULL REFERENCES tenants (key),
    issued_at_ms BIGINT NOT NULL,
    PRIMARY KEY (app, tenant)
);

CREATE TABLE codes (
    hash            BYTEA  PRIMARY KEY,
    app             TEXT   NOT NULL REFERENCES apps (id),
    tenant          TEXT   NOT NULL REFERENCES tenants (key),
    user_num        BIGINT NOT NULL REFERENCES users (num),
    redirect        TEXT   NOT NULL,
    scopes          TEXT   NOT NULL, -- JSON list
    challenge       TEXT   NOT NULL,
    method          TEXT   NOT NULL,
    created_at_ms   BIGINT NOT NULL,
    consented_at_ms BIGINT NOT NULL,
    used_at_ms      BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE token_rows (
    id              TEXT    PRIMARY KEY,
    pair            TEXT    NOT NULL,
    refresh         BOOLEAN NOT NULL,
    app             TEXT    NOT NULL REFERENCES apps (id),
    tenant          TEXT    NOT NULL REFERENCES tenants (key),
    user_num        BIGINT  NOT NULL REFERENCES users (num),
    scopes          TEXT    NOT NULL, -- JSON list
    expires_at_ms   BIGINT  NOT NULL,
    used_at_ms      BIGINT  NOT NULL,
    consented_at_ms BIGINT  NOT NULL
);
CREATE INDEX token_rows_of_pair ON token_rows (pair);
CREATE INDEX token_rows_by_expiry ON token_rows (expires_at_ms);

CREATE TABLE grants (
    app           TEXT   NOT NULL REFERENCES apps (id),
    tenant        TEXT   NOT NULL REFERENCES tenants (key),
    user_num      BIGINT NOT NULL REFERENCES users (num),
    scope         TEXT   NOT NULL,
    granted_at_ms BIGINT NOT NULL, -- the latest time
    PRIMARY KEY (app, tenant, user_num, scope)
);

CREATE TABLE sessions (
    token         TEXT   PRIMARY KEY,
    data          BYTEA  NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms);

CREATE TABLE reserves (
    id            INTEGER PRIMARY KEY,
    tenant        TEXT   NOT NULL REFERENCES tenants (key),
    no            TEXT   NOT NULL,
    held_no       TEXT   UNIQUE, -- no while the reserve holds it; NULL once another may have it
    owner         BIGINT NOT NULL,
    creator       BIGINT NOT NULL, -- 0: an app
    app           TEXT   NOT NULL, -- '': a page
    password      TEXT   NOT NULL,
    settings      TEXT   NOT NULL, -- JSON object
    end_at_ms     BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    deleted_at_ms BIGINT NOT NULL
);

CREATE INDEX reserves_of_owner ON reserves (tenant, owner, id);
CREATE INDEX reserves_of_creator ON reserves (tenant, creator, id);

CREATE TABLE meetings (
    id            INTEGER  PRIMARY KEY,
    tenant        TEXT    NOT NULL REFERENCES tenants (key),
    reserve       BIGINT  NOT NULL, -- 0: none, as for an imported file
    no            TEXT    NOT NULL,
    topic         TEXT    NOT NULL,
    owner         BIGINT  NOT NULL,
    host          BIGINT  NOT NULL,
    app           TEXT    NOT NULL,
    source        BIGINT  NOT NULL,
    status        BIGINT  NOT NULL, -- 1 calling, 2 running, 3 ended
    locked        BOOLEAN NOT NULL,
    initial_type  BIGINT  NOT NULL,
    auto_record   BOOLEAN NOT NULL,
    peak          BIGINT  NOT NULL,
    created_at_ms BIGINT  NOT NULL,
    started_at_ms BIGINT  NOT NULL,
    ended_at_ms   BIGINT  NOT NULL
);
CREATE UNIQUE INDEX meetings_one_unended ON meetings (reserve) WHERE status <> 3 AND reserve <> 0;
CREATE INDEX meetings_unended ON meetings (id) WHERE status <> 3;
CREATE INDEX meetings_of_reserve ON meetings (reserve);
CREATE INDEX meetings_of_owner ON meetings (tenant, owner, id);
CREATE INDEX meetings_by_no ON meetings (tenant, no, started_at_ms, id);

CREATE TABLE participants (
    id            TEXT   PRIMARY KEY,
    meeting       BIGINT NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    tenant        TEXT   NOT NULL REFERENCES tenants (key),
    user_num      BIGINT NOT NULL, -- 0: a guest
    name          TEXT   NOT NULL,
    role          BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    joined_at_ms  BIGINT NOT NULL,
    left_at_ms    BIGINT NOT NULL,
    reason        BIGINT NOT NULL
);
CREATE INDEX participants_of_meeting ON participants (meeting, created_at_ms);
CREATE INDEX participants_of_user ON participants (user_num, meeting) WHERE user_num <> 0;

CREATE TABLE recordings (
    meeting       INTEGER          PRIMARY KEY REFERENCES meetings (id), -- GET recording knows the meeting
    id            BIGINT           NOT NULL UNIQUE,
    tenant        TEXT             NOT NULL REFERENCES tenants (key),
    state         TEXT             NOT NULL,
    timezone      BIGINT           NOT NULL, -- hours from UTC
    has_zone      BOOLEAN          NOT NULL,
    minute        TEXT             NOT NULL, -- minute token, '' until ready
    duration_ms   BIGINT           NOT NULL,
    cause         TEXT             NOT NULL,
    attempts      BIGINT           NOT NULL,
    progress      DOUBLE PRECISION NOT NULL, -- 0 to 1
    created_at_ms BIGINT           NOT NULL,
    done_at_ms    BIGINT           NOT NULL
);
CREATE INDEX recordings_by_state ON recordings (state, id);

CREATE TABLE parts (
    recording     BIGINT NOT NULL REFERENCES recordings (id),
    n             BIGINT NOT NULL,
    started_by    BIGINT NOT NULL, -- 0: auto_record or an app
    started_at_ms BIGINT NOT NULL,
    stopped_at_ms BIGINT NOT NULL, -- 0: open
    PRIMARY KEY (recording, n)
);
CREATE UNIQUE INDEX parts_one_open ON parts (recording) WHERE stopped_at_ms = 0;

CREATE TABLE compositions ( -- recordings that wait to be composed or are being composed
    recording      INTEGER PRIMARY KEY REFERENCES recordings (id),
    version        BIGINT NOT NULL, -- counts enqueuings: one that comes while the work runs is not lost
    tries          BIGINT NOT NULL, -- begun since the last enqueuing
    due_at_ms      BIGINT NOT NULL,
    holder         TEXT   NOT NULL, -- who is at it, '' for nobody
    lease_until_ms BIGINT NOT NULL, -- until when, unless extended
    error          TEXT   NOT NULL, -- of the last try
    created_at_ms  BIGINT NOT NULL
);
CREATE INDEX compositions_by_due ON compositions (due_at_ms);

CREATE TABLE chores (
    name      TEXT   PRIMARY KEY,
    due_at_ms BIGINT NOT NULL -- when one node should do it next
);

CREATE TABLE minutes (
    token         TEXT   PRIMARY KEY,
    tenant        TEXT   NOT NULL REFERENCES tenants (key),
    recording     BIGINT NOT NULL UNIQUE REFERENCES recordings (id),
    meeting       BIGINT NOT NULL REFERENCES meetings (id),
    owner         BIGINT NOT NULL,
    title         TEXT   NOT NULL,
    started_at_ms BIGINT NOT NULL,
    duration_ms   BIGINT NOT NULL,
    file          TEXT   NOT NULL, -- key in the blob store
    poster        TEXT   NOT NULL, -- key in the blob store
    size_bytes    BIGINT NOT NULL,
    sha256        TEXT   NOT NULL,
    defects       TEXT   NOT NULL, -- JSON list
    created_at_ms BIGINT NOT NULL,
    deleted_at_ms BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE events (
    id     INTEGER PRIMARY KEY,
    tenant TEXT   NOT NULL REFERENCES tenants (key),
    type   TEXT   NOT NULL,
    at_ms  BIGINT NOT NULL,
    body   TEXT   NOT NULL -- JSON object: event.Event
);

CREATE TABLE deliveries (
    id             TEXT   PRIMARY KEY,
    event          BIGINT NOT NULL REFERENCES events (id),
    app            TEXT   NOT NULL REFERENCES apps (id),
    tenant         TEXT   NOT NULL REFERENCES tenants (key),
    state          TEXT   NOT NULL,
    attempts       BIGINT NOT NULL,
    due_at_ms      BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL DEFAULT 0, -- 0: nobody is at it
    created_at_ms  BIGINT NOT NULL
);
CREATE INDEX deliveries_pending ON deliveries (app, due_at_ms) WHERE state = 'pending';
CREATE INDEX deliveries_waiting ON deliveries (due_at_ms) WHERE state = 'pending' AND lease_until_ms = 0;
CREATE INDEX deliveries_held ON deliveries (app, lease_until_ms) WHERE state = 'pending' AND lease_until_ms > 0;
CREATE INDEX deliveries_of_app ON deliveries (tenant, app, created_at_ms);

CREATE TABLE attempts (
    delivery   TEXT   NOT NULL REFERENCES deliveries (id),
    n          BIGINT NOT NULL,
    at_ms      BIGINT NOT NULL,
    latency_ms BIGINT NOT NULL,
    status     BIGINT NOT NULL,
    error      TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (delivery, n)
);

CREATE TABLE health (
    id            BIGINT PRIMARY KEY,
    checked_at_ms BIGINT NOT NULL
);
INSERT INTO health (id, checked_at_ms) VALUES (1, 0);

-- +goose Down
DROP TABLE health;
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE events;
DROP TABLE minutes;
DROP TABLE chores;
DROP TABLE compositions;
DROP TABLE parts;
DROP TABLE recordings;
DROP TABLE participants;
DROP TABLE meetings;
DROP TABLE reserves;
DROP TABLE sessions;
DROP TABLE grants;
DROP TABLE token_rows;
DROP TABLE codes;
DROP TABLE tenant_issues;
DROP TABLE users;
DROP TABLE apps;
DROP TABLE tenants;
