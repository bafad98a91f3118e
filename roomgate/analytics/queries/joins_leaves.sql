-- Joins and leaves, hour by hour.
--
-- Reads the hours of arrival from 1 before :since to 5 after :until: rows may be an hour late, and
-- a leave by lease is dated up to 4 hours back.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   hour    timestamp  its beginning: :since, and every 60 minutes after it, at most 10,000
--   joins   bigint     joins
--   leaves  bigint     leaves
--   users   bigint     users who came or went
--   rooms   bigint     rooms in which somebody did
WITH
-- include: wanted
transitions AS (  -- Each once: a row that was delivered again has the same id.
    SELECT DISTINCT id, app, room, user, t, delta
    FROM events
    WHERE ev IN ('join', 'leave') AND (:app = 0 OR app = :app)
      AND dt BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 10)
                 AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 10)
      AND concat(dt, ' ', hour)
          BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 13)
              AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 13)
),
-- include: digits
hours AS (
    SELECT since + 3600000 * CAST(
        a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit AS bigint
    ) AS hour
    FROM wanted
    CROSS JOIN digits AS a CROSS JOIN digits AS b CROSS JOIN digits AS c CROSS JOIN digits AS d
),
happened AS (
    SELECT
        t - (t - since) % 3600000 AS hour,
        count(CASE WHEN delta > 0 THEN 1 END) AS joins,
        count(CASE WHEN delta < 0 THEN 1 END) AS leaves,
        count(DISTINCT concat(CAST(app AS varchar), '/', user)) AS users,
        count(DISTINCT concat(CAST(app AS varchar), '/', room)) AS rooms
    FROM transitions CROSS JOIN wanted
    WHERE t >= since AND t < until
    GROUP BY 1
)
SELECT
    TIMESTAMP '1970-01-01 00:00:00' + CAST(hours.hour AS double) * INTERVAL '0.001' SECOND AS hour,
    coalesce(joins, 0) AS joins,
    coalesce(leaves, 0) AS leaves,
    coalesce(users, 0) AS users,
    coalesce(rooms, 0) AS rooms
FROM hours CROSS JOIN wanted LEFT JOIN happened ON happened.hour = hours.hour
WHERE hours.hour < until
ORDER BY hours.hour
