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
-- include: wanted, transitions, sessions
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
