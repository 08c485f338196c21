"""Who is in which FCM topic, as far as we know, and what is to change. Tables and queries.

A row is a phone (the hash of its token, as the registry keeps it) and the one topic it may be in: a
commune and a language. Its token is kept beside it until it is out of the topic, for the service takes
nothing else; a phone that was erased from the registry is taken out at once, and then its row goes.

| state | means |
|---|---|
| joining | a call to subscribe it was begun: it may be in |
| in | the service said so |
| leaving | a call to unsubscribe it was begun: it may be in |
| out | the service did not take it: it is not in, and not asked for before `again_at` |
"""
# ruff: noqa: S608 (the only names put into SQL are constants)

from typing import LiteralString

TOPICS_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS topic_members (
    push_hash bytea PRIMARY KEY,
    push_token text NOT NULL,
    area text NOT NULL,
    language text NOT NULL,
    state text NOT NULL CHECK (state IN ('joining', 'in', 'leaving', 'out')),
    again_at timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX IF NOT EXISTS topic_members_topic ON topic_members (area, language);
-- A topic that carries a live alert: it is frozen, as the alert's audience is.
CREATE TABLE IF NOT EXISTS topic_holds (
    area text NOT NULL,
    language text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (area, language)
);
-- One row while the service refuses our calls.
CREATE TABLE IF NOT EXISTS topic_halt (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    reason text NOT NULL,
    since timestamptz NOT NULL,
    again_at timestamptz NOT NULL
);
-- What the keeper saw last; one row.
CREATE TABLE IF NOT EXISTS topic_looks (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    at timestamptz NOT NULL,
    out bigint NOT NULL
);
"""

ALONE: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('push topics', 0))"
"""Held while calls are marked and while topics are claimed: what may be in a topic is then known."""
KEEPER: LiteralString = "SELECT pg_try_advisory_lock(hashtextextended('push topics keeper', 0))"
KEPT: LiteralString = "SELECT pg_advisory_unlock(hashtextextended('push topics keeper', 0))"

WIDE: LiteralString = "SET LOCAL work_mem = '64MB'"
"""A million rows are compared by hash: in memory, mostly."""

# Only registration tokens can be in a topic. Tokens are fetched of what is found, not compared along.
_COMPARED: LiteralString = """
FROM topic_members m FULL JOIN (
    SELECT push_hash, home, locale FROM subscribers
    WHERE push_hash IS NOT NULL AND push_kind = 'token' AND %(wanted)s
) s ON s.push_hash = m.push_hash
"""
_ACT: LiteralString = """CASE
    WHEN m.push_hash IS NULL THEN 'join'
    WHEN m.state = 'out' THEN CASE
        WHEN s.push_hash IS NULL THEN 'forget' WHEN m.again_at <= %(at)s THEN 'join' ELSE 'refused'
    END
    WHEN s.push_hash IS NULL OR m.state = 'leaving' THEN 'leave'
    WHEN (m.area, m.language) <> (s.home, s.locale) THEN 'leave'
    WHEN m.state = 'joining' THEN 'join'
    ELSE 'stay'
END"""
# Who was erased leaves even a held topic. Who moved stays in it, for it is how the alert reaches them.
_HELD: LiteralString = """EXISTS (
    SELECT FROM topic_holds h WHERE h.until > %(at)s AND CASE
        WHEN m.push_hash IS NULL OR m.state = 'out' THEN (h.area, h.language) = (s.home, s.locale)
        ELSE m.state = 'in' AND s.push_hash IS NOT NULL AND (h.area, h.language) = (m.area, m.language)
    END
)"""

STEPS: LiteralString = f"""
SELECT found.act, found.push_hash, coalesce(nullif(t.push_token, ''), p.push_token), found.area,
    found.language
FROM (
    SELECT act, push_hash, area, language FROM (
        SELECT {_ACT} AS act, {_HELD} AS held, coalesce(m.push_hash, s.push_hash) AS push_hash,
            CASE WHEN m.push_hash IS NULL OR m.state = 'out' THEN s.home ELSE m.area END AS area,
            CASE WHEN m.push_hash IS NULL OR m.state = 'out' THEN s.locale ELSE m.language END AS language
        {_COMPARED}
    ) AS compared WHERE act IN ('join', 'leave', 'forget') AND NOT held LIMIT %(limit)s
) AS found
LEFT JOIN topic_members t ON t.push_hash = found.push_hash
LEFT JOIN subscribers p ON p.push_hash = found.push_hash
"""
STANDING: LiteralString = f"""
SELECT count(*) FILTER (WHERE state = 'in'),
    count(*) FILTER (WHERE act IN ('join', 'leave') AND NOT held),
    count(*) FILTER (WHERE act IN ('join', 'leave') AND held),
    count(*) FILTER (WHERE act = 'refused')
FROM (SELECT m.state, {_ACT} AS act, {_HELD} AS held {_COMPARED}) AS compared
"""

MARK_JOIN: LiteralString = """
INSERT INTO topic_members AS m (push_hash, push_token, area, language, state)
SELECT hash, token, %(area)s, %(language)s, 'joining'
FROM unnest(%(hashes)s::bytea[], %(tokens)s::text[]) AS new (hash, token)
WHERE NOT EXISTS (
    SELECT FROM topic_holds h WHERE (h.area, h.language) = (%(area)s, %(language)s) AND h.until > %(at)s
)
ON CONFLICT (push_hash) DO UPDATE SET push_token = excluded.push_token, area = excluded.area,
    language = excluded.language, state = 'joining' WHERE m.state IN ('joining', 'out')
RETURNING push_hash
"""
MARK_LEAVE: LiteralString = """
UPDATE topic_members AS m SET state = 'leaving' WHERE m.push_hash = ANY(%(hashes)s) AND m.state <> 'out'
    AND (m.state <> 'in' OR NOT EXISTS (
        SELECT FROM topic_holds h JOIN subscribers s ON s.push_hash = m.push_hash
        WHERE (h.area, h.language) = (m.area, m.language) AND h.until > %(at)s
    ))
RETURNING push_hash
"""
JOINED: LiteralString = (
    "UPDATE topic_members SET state = 'in' WHERE push_hash = ANY(%s) AND state = 'joining'"
)
NOT_JOINED: LiteralString = """
UPDATE topic_members SET state = 'out', push_token = '', again_at = %s
WHERE push_hash = ANY(%s) AND state = 'joining'
"""
LEFT: LiteralString = "DELETE FROM topic_members WHERE push_hash = ANY(%s) AND state = 'leaving'"
FORGET: LiteralString = "DELETE FROM topic_members WHERE push_hash = ANY(%s) AND state = 'out'"

# Who is not in the registry by that token counts in one figure and not in the other.
IN_TOPICS: LiteralString = """
SELECT m.area, m.language, count(*), count(s.id) FILTER (WHERE m.state = 'in'),
    string_agg(int8send(s.id), ''::bytea)
FROM topic_members m LEFT JOIN subscribers s ON s.push_hash = m.push_hash
WHERE m.state <> 'out' AND m.area = ANY(%s)
GROUP BY m.area, m.language ORDER BY m.area, m.language
"""
PAST: LiteralString = "DELETE FROM topic_holds WHERE until <= %s"
HOLD: LiteralString = """
INSERT INTO topic_holds AS h (area, language, until)
SELECT area, language, %s FROM unnest(%s::text[], %s::text[]) AS new (area, language)
ON CONFLICT (area, language) DO UPDATE SET until = greatest(h.until, excluded.until)
"""

HALT: LiteralString = """
INSERT INTO topic_halt (reason, since, again_at) VALUES (%(reason)s, %(at)s, %(again_at)s)
ON CONFLICT (one) DO UPDATE SET again_at = excluded.again_at RETURNING xmax = 0
"""
HALTED: LiteralString = "SELECT reason, since, again_at FROM topic_halt"
LOOKED: LiteralString = """
INSERT INTO topic_looks (at, out) VALUES (%s, %s)
ON CONFLICT (one) DO UPDATE SET at = excluded.at, out = excluded.out
"""
LAST_LOOK: LiteralString = """
SELECT at, out, EXISTS (SELECT FROM topic_halt), (SELECT count(*) FROM topic_holds h WHERE h.until > %s)
FROM topic_looks
"""
RESYNC: LiteralString = "UPDATE topic_members SET state = 'joining' WHERE state = 'in'"
