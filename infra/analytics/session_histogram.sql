-- How long sessions last: how many last how long.
--
-- A session is one user's time in one room, from a join to the leave after it; it counts if it
-- ended between :since and :until. Reads the hours of arrival from 25 before :since to 5 after
-- :until: rows may be an hour late, and a leave by lease is dated up to 4 hours back. Sessions that
-- began before what is read are counted, but have no duration here.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   from_s    bigint  the shortest that counts in this row, seconds
--   to_s      bigint  those of this length and longer count in the next row, seconds; of the last
--                     row null
--   sessions  bigint  sessions of that length
WITH
wanted AS (  -- In unix ms.
    SELECT
        date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', :since) AS since,
        date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', :until) AS until
),
transitions AS (  -- Each once: a row that was delivered again has the same id.
    SELECT DISTINCT id, app, room, user, t, ver, delta
    FROM events
    WHERE ev IN ('join', 'leave') AND (:app = 0 OR app = :app)
      AND dt BETWEEN substr(CAST(:since - INTERVAL '25' HOUR AS varchar), 1, 10)
                 AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 10)
      AND concat(dt, ' ', hour)
          BETWEEN substr(CAST(:since - INTERVAL '25' HOUR AS varchar), 1, 13)
              AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 13)
),
steps AS (
    SELECT
        t, delta,
        lag(t) OVER (
            PARTITION BY app, room, user ORDER BY ver, CAST(split_part(id, '/', 4) AS bigint)
        ) AS joined
    FROM transitions
),
sessions AS (  -- Those that ended in the time asked about; joined is null where it is not seen.
    SELECT t - joined AS ms
    FROM steps CROSS JOIN wanted
    WHERE delta < 0 AND t >= since AND t < until
),
bins AS (
    SELECT from_s, to_s
    FROM (
        VALUES
            (0, 10), (10, 30), (30, 60), (60, 120), (120, 300),
            (300, 600), (600, 1200), (1200, 1800), (1800, 3600), (3600, 7200),
            (7200, 14400), (14400, 86400), (86400, 864000), (864000, NULL)
    ) AS listed (from_s, to_s)
)
SELECT
    CAST(from_s AS bigint) AS from_s,
    CAST(to_s AS bigint) AS to_s,
    count(ms) AS sessions
FROM bins LEFT JOIN sessions ON ms >= from_s * 1000 AND ms < coalesce(to_s * 1000, ms + 1)
GROUP BY from_s, to_s
ORDER BY from_s
