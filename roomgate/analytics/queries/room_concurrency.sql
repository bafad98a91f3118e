-- Concurrent users of each room, minute by minute.
--
-- Reads the hours of arrival from 25 before :since to 5 after :until. Rows may be an hour late; a
-- leave by lease is dated up to 4 hours back; and 24 hours back tell who was inside at :since. Who
-- came before those and has not gone by then is not seen.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--   :room   varchar    key of the room: 123, or s: and base64url of its name; '': all (default: '')
--
-- Columns:
--   app         bigint     sdkAppId of the application
--   room        varchar    key of the room
--   minute      timestamp  its beginning, UTC; only minutes in which somebody came or went: in
--                          those between, users_last of the one before holds
--   users_most  bigint     users inside at once: the most during that minute
--   users_last  bigint     users inside at its end
WITH
-- include: wanted
transitions AS (  -- Each once: a row that was delivered again has the same id.
    SELECT DISTINCT id, app, room, user, t, ver, delta
    FROM events
    WHERE ev IN ('join', 'leave') AND (:app = 0 OR app = :app)
      AND (:room = '' OR room = :room)
      AND dt BETWEEN substr(CAST(:since - INTERVAL '25' HOUR AS varchar), 1, 10)
                 AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 10)
      AND concat(dt, ' ', hour)
          BETWEEN substr(CAST(:since - INTERVAL '25' HOUR AS varchar), 1, 13)
              AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 13)
),
-- include: firsts
steps AS (
    SELECT app, room, t, sum(delta) AS delta FROM transitions GROUP BY app, room, t
    UNION ALL
    SELECT app, room, 0, count(*) FROM firsts WHERE delta < 0 GROUP BY app, room
),
levels AS (
    SELECT
        app, room, t, delta,
        sum(delta) OVER (PARTITION BY app, room ORDER BY t ROWS UNBOUNDED PRECEDING) AS users
    FROM steps
),
by_minute AS (  -- The number before a step counts too, if it held into the step's minute.
    SELECT
        app, room, t - (t - since) % 60000 AS t,
        max(CASE WHEN (t - since) % 60000 > 0 AND delta < 0 THEN users - delta ELSE users END)
            AS users_most,
        max_by(users, t) AS users_last
    FROM levels CROSS JOIN wanted
    WHERE t >= since AND t < until
    GROUP BY app, room, t - (t - since) % 60000
)
SELECT
    app,
    room,
    TIMESTAMP '1970-01-01 00:00:00' + CAST(t AS double) * INTERVAL '0.001' SECOND AS minute,
    CAST(users_most AS bigint) AS users_most,
    CAST(users_last AS bigint) AS users_last
FROM by_minute
ORDER BY t, app, room
