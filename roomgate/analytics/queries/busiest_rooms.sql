-- The twenty busiest rooms: those with the most users inside at once.
--
-- Reads the hours of arrival from 25 before :since to 5 after :until. Rows may be an hour late; a
-- leave by lease is dated up to 4 hours back; and 24 hours back tell who was inside at :since. Who
-- came before those and has not gone by then is not seen.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   app         bigint     sdkAppId of the application
--   room        varchar    key of the room
--   users_most  bigint     the most users inside at once
--   peak_at     timestamp  when first so many were, UTC
--   joins       bigint     joins
--   user_hours  double     hours that users were inside, added up
WITH
-- include: wanted, transitions, firsts
steps AS (
    SELECT app, room, t, sum(delta) AS delta, count(CASE WHEN delta > 0 THEN 1 END) AS joins
    FROM transitions GROUP BY app, room, t
    UNION ALL
    SELECT app, room, 0, count(*), 0 FROM firsts WHERE delta < 0 GROUP BY app, room
),
levels AS (  -- From each step to the next one so many are inside.
    SELECT
        app, room, t, joins,
        lead(t) OVER (PARTITION BY app, room ORDER BY t) AS next_t,
        sum(delta) OVER (PARTITION BY app, room ORDER BY t ROWS UNBOUNDED PRECEDING) AS users
    FROM steps
),
during AS (
    SELECT
        app, room, users,
        greatest(t, since) AS t,
        least(coalesce(next_t, until), until) AS next_t,
        CASE WHEN t >= since THEN joins ELSE 0 END AS joins
    FROM levels CROSS JOIN wanted
    WHERE t < until AND coalesce(next_t, until) > since
),
by_room AS (
    SELECT
        app, room, max(users) AS users_most,
        sum(joins) AS joins, sum(users * (next_t - t)) AS user_ms
    FROM during
    GROUP BY app, room
    HAVING max(users) > 0
    ORDER BY users_most DESC, user_ms DESC, app, room
    LIMIT 20
),
peaks AS (
    SELECT r.app, r.room, r.users_most, r.joins, r.user_ms, min(t) AS t
    FROM by_room AS r
    JOIN during ON during.app = r.app AND during.room = r.room AND during.users = r.users_most
    GROUP BY r.app, r.room, r.users_most, r.joins, r.user_ms
)
SELECT
    app,
    room,
    CAST(users_most AS bigint) AS users_most,
    TIMESTAMP '1970-01-01 00:00:00' + CAST(t AS double) * INTERVAL '0.001' SECOND AS peak_at,
    CAST(joins AS bigint) AS joins,
    CAST(user_ms AS double) / 3600000 AS user_hours
FROM peaks
ORDER BY users_most DESC, user_hours DESC, app, room
