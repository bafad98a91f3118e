-- How long sessions last: percentiles.
--
-- A session is one user's time in one room, from a join to the leave after it; it counts if it
-- ended between :since and :until. Reads the hours of arrival from 25 before :since to 5 after
-- :until: rows may be an hour late, and a leave by lease is dated up to 4 hours back. Sessions that
-- began before what is read are counted, but have no duration here.
-- Percentiles are nearest ranks: a duration that occurred.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   sessions    bigint  sessions that ended
--   unmeasured  bigint  those of them whose join is not seen
--   mean_s      double  seconds, as all below; null where no session is measured
--   p10_s       double  a tenth lasted at most this long
--   p25_s       double
--   p50_s       double
--   p75_s       double
--   p90_s       double
--   p99_s       double
--   longest_s   double
WITH
-- include: wanted, transitions, sessions
ranked AS (
    SELECT ms, row_number() OVER (ORDER BY ms) AS place, count(*) OVER () AS measured
    FROM sessions
    WHERE ms IS NOT NULL
)
SELECT
    (SELECT count(*) FROM sessions) AS sessions,
    (SELECT count(*) FROM sessions WHERE ms IS NULL) AS unmeasured,
    avg(CAST(ms AS double)) / 1000 AS mean_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 10) AS double) / 1000 AS p10_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 25) AS double) / 1000 AS p25_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 50) AS double) / 1000 AS p50_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 75) AS double) / 1000 AS p75_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 90) AS double) / 1000 AS p90_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 99) AS double) / 1000 AS p99_s,
    CAST(max(ms) AS double) / 1000 AS longest_s
FROM ranked
