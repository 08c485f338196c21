"""The table `events`, and the function that appends to it: one round trip, chained by hash."""

# One function, so that lock, chain, rows and wake-up cost a single round trip. The name carries our
# table's: eventsourcing's own functions share one name a schema and mix up their tables.
LOG_DDL = """
CREATE TABLE IF NOT EXISTS events (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    chain bytea NOT NULL,
    UNIQUE (originator_id, originator_version)
);
CREATE INDEX IF NOT EXISTS events_topic ON events (topic, position);
CREATE TABLE IF NOT EXISTS event_onces (
    account text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (account, key)
);
DROP FUNCTION IF EXISTS events_append(uuid[], bigint[], text[], bytea[], timestamptz);
CREATE OR REPLACE FUNCTION events_append(
    ids uuid[], versions bigint[], topics text[], states bytea[], at timestamptz,
    since bigint DEFAULT NULL, ground text[] DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    link bytea;
    instant timestamptz;
    moved boolean;
    i int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('events_append', 0));
    SELECT e.position, e.chain, greatest(e.recorded_at, at) INTO head, link, instant
        FROM events e ORDER BY e.position DESC LIMIT 1;
    IF NOT FOUND THEN
        head := 0; link := decode(repeat('00', 32), 'hex'); instant := at;
    END IF;
    IF since < head THEN
        -- Planned each time: a plan kept from when the table was small would read all of it.
        EXECUTE 'SELECT EXISTS'
            ' (SELECT FROM events WHERE position BETWEEN $1 + 1 AND $2 AND topic = ANY($3))'
            INTO moved USING since, head, ground;
        IF moved THEN
            RAISE serialization_failure USING MESSAGE = 'decided on what changed since position ' || since;
        END IF;
    END IF;
    FOR i IN 1 .. cardinality(ids) LOOP
        head := head + 1;
        link := sha256(convert_to(concat_ws(E'\\n', encode(link, 'hex'), head,
            to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            ids[i], versions[i], topics[i], ''), 'UTF8') || states[i]);
        INSERT INTO events VALUES (head, instant, ids[i], versions[i], topics[i], states[i], link);
    END LOOP;
    -- Who follows other topics need not look; nothing named is for all (a notice holds 8,000 bytes).
    PERFORM pg_notify('event_log',
        CASE WHEN cardinality(topics) <= 32 THEN array_to_string(topics, ' ') ELSE '' END);
    RETURN head;
END $$;
"""
