"""The tables of the feeds: places, screens, notices, what was withdrawn, and the rendered bytes."""

DDL = """
CREATE TABLE IF NOT EXISTS feed_editions (
    edition text PRIMARY KEY,
    effective_on date NOT NULL
);
CREATE TABLE IF NOT EXISTS feed_areas (
    edition text NOT NULL,
    code text NOT NULL,
    parent text,
    name text NOT NULL,
    PRIMARY KEY (edition, code)
);
CREATE TABLE IF NOT EXISTS feed_sources (
    edition text NOT NULL,
    code text NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (edition, code, source)
);
CREATE TABLE IF NOT EXISTS feed_screens (
    screen_id uuid PRIMARY KEY,
    name text NOT NULL,
    area text NOT NULL,
    profile text NOT NULL,
    edition text NOT NULL,
    drills boolean NOT NULL
);
CREATE TABLE IF NOT EXISTS feed_notices (
    alert_id uuid PRIMARY KEY,
    rev int NOT NULL,
    edition text NOT NULL,
    areas text[] NOT NULL,
    kind text NOT NULL,
    mode text NOT NULL,
    priority int NOT NULL,
    severity text NOT NULL,
    risk_level int,
    starts_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    text text NOT NULL,
    status text NOT NULL
);
CREATE TABLE IF NOT EXISTS feed_withdrawn (
    alert_id uuid PRIMARY KEY,
    rev int NOT NULL,
    edition text NOT NULL,
    areas text[] NOT NULL,
    at timestamptz NOT NULL,
    status text NOT NULL
);
CREATE INDEX IF NOT EXISTS feed_withdrawn_at ON feed_withdrawn (at);
CREATE TABLE IF NOT EXISTS feeds (
    area text NOT NULL,
    profile text NOT NULL,
    drills boolean NOT NULL,
    seq bigint NOT NULL,
    etag text NOT NULL,
    body bytea NOT NULL,
    frames text[] NOT NULL,
    PRIMARY KEY (area, profile, drills)
);
CREATE INDEX IF NOT EXISTS feeds_seq ON feeds (seq);
CREATE TABLE IF NOT EXISTS feed_frames (
    sha256 text PRIMARY KEY,
    body bytea NOT NULL
);
"""

TABLES = (
    "feed_editions",
    "feed_areas",
    "feed_sources",
    "feed_screens",
    "feed_notices",
    "feed_withdrawn",
    "feeds",
    "feed_frames",
)
