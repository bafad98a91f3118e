-- Do users come back, on the next day and a week later?
--
-- Of those who joined a room on one day: how many did on the day after it, and on the 7th after it.
-- Days are of 24 hours, counted from :since. A user is one of one application; it need not be new.
-- A later day that is not over at :until gives null. Reads the hours of arrival from 1 before
-- :since to 1 after :until: rows may be an hour late.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 28)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   day         timestamp  its beginning, UTC
--   users       bigint     users who joined on it
--   day1_users  bigint     those of them who joined on the day after it too
--   day7_users  bigint     those of them who joined on the 7th day after it too
--   day1_share  double     day1_users / users, 0 to 1
--   day7_share  double     day7_users / users, 0 to 1
WITH
-- include: wanted
transitions AS (  -- Each once: a row that was delivered again has the same id.
    SELECT DISTINCT id, app, user, t, delta
    FROM events
    WHERE ev IN ('join', 'leave') AND (:app = 0 OR app = :app)
      AND dt BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 10)
                 AND substr(CAST(:until + INTERVAL '1' HOUR AS varchar), 1, 10)
      AND concat(dt, ' ', hour)
          BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 13)
              AND substr(CAST(:until + INTERVAL '1' HOUR AS varchar), 1, 13)
),
seen AS (
    SELECT DISTINCT app, user, t - (t - since) % 86400000 AS day
    FROM transitions CROSS JOIN wanted
    WHERE delta > 0 AND t >= since AND t < until
),
counted AS (
    SELECT seen.day, count(*) AS users, count(day1.day) AS day1_users, count(day7.day) AS day7_users
    FROM seen
    LEFT JOIN seen AS day1
        ON day1.app = seen.app AND day1.user = seen.user AND day1.day = seen.day + 86400000
    LEFT JOIN seen AS day7
        ON day7.app = seen.app AND day7.user = seen.user AND day7.day = seen.day + 604800000
    GROUP BY seen.day
),
known AS (
    SELECT
        day, users,
        CASE WHEN day + 2 * 86400000 <= until THEN day1_users END AS day1_users,
        CASE WHEN day + 8 * 86400000 <= until THEN day7_users END AS day7_users
    FROM counted CROSS JOIN wanted
)
SELECT
    TIMESTAMP '1970-01-01 00:00:00' + CAST(day AS double) * INTERVAL '0.001' SECOND AS day,
    users,
    day1_users,
    day7_users,
    CAST(day1_users AS double) / users AS day1_share,
    CAST(day7_users AS double) / users AS day7_share
FROM known
ORDER BY day
