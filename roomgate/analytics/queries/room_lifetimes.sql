-- How long rooms live: from the first join to the moment when nobody is left.
--
-- Reads the hours of arrival from 25 before :since to 5 after :until. Rows may be an hour late; a
-- leave by lease is dated up to 4 hours back; and 24 hours back tell who was inside at :since. Who
-- came before those and has not gone by then is not seen.
-- A room's life counts if it ended between :since and :until; a room can have many. Percentiles are
-- nearest ranks: a value that occurred.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   lives         bigint  lives that ended
--   rooms         bigint  rooms that they were of
--   unmeasured    bigint  lives whose beginning is not seen; not in the columns below
--   mean_s        double  seconds, as the next four; null where no life is measured
--   p50_s         double  half of them lasted at most this long
--   p90_s         double
--   p99_s         double
--   longest_s     double
--   users_p50     bigint  users inside at once, the most of each life: half had at most this many
--   users_p90     bigint
--   users_most    bigint
WITH
-- include: wanted, transitions, firsts
changes AS (  -- The changes of a room in their order; before them, who was inside already.
    SELECT app, room, ver, sum(delta) AS delta, min(t) AS first_t, max(t) AS last_t
    FROM transitions GROUP BY app, room, ver
    UNION ALL
    SELECT app, room, 0, count(*), CAST(NULL AS bigint), CAST(NULL AS bigint)
    FROM firsts WHERE delta < 0 GROUP BY app, room
),
levels AS (
    SELECT
        app, room, ver, first_t, last_t,
        sum(delta) OVER (PARTITION BY app, room ORDER BY ver ROWS UNBOUNDED PRECEDING) AS users
    FROM changes
),
numbered AS (  -- A change that leaves nobody inside is the last one of a life.
    SELECT
        *,
        sum(CASE WHEN users = 0 THEN 1 ELSE 0 END) OVER (
            PARTITION BY app, room ORDER BY ver ROWS UNBOUNDED PRECEDING
        ) - CASE WHEN users = 0 THEN 1 ELSE 0 END AS life
    FROM levels
),
lives AS (
    SELECT
        app, room, max(last_t) AS over_at, max(users) AS users,
        CASE WHEN min(ver) > 0 THEN max(last_t) - min(first_t) END AS ms
    FROM numbered
    GROUP BY app, room, life
    HAVING min(users) = 0
),
ended AS (
    SELECT app, room, users, ms
    FROM lives CROSS JOIN wanted
    WHERE over_at >= since AND over_at < until
),
ranked AS (
    SELECT
        ms, users, count(*) OVER () AS measured,
        row_number() OVER (ORDER BY ms) AS place,
        row_number() OVER (ORDER BY users) AS users_place
    FROM ended
    WHERE ms IS NOT NULL
)
SELECT
    (SELECT count(*) FROM ended) AS lives,
    (SELECT count(*) FROM (SELECT DISTINCT app, room FROM ended) AS each_once) AS rooms,
    (SELECT count(*) FROM ended WHERE ms IS NULL) AS unmeasured,
    avg(CAST(ms AS double)) / 1000 AS mean_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 50) AS double) / 1000 AS p50_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 90) AS double) / 1000 AS p90_s,
    CAST(min(ms) FILTER (WHERE place * 100 >= measured * 99) AS double) / 1000 AS p99_s,
    CAST(max(ms) AS double) / 1000 AS longest_s,
    CAST(min(users) FILTER (WHERE users_place * 100 >= measured * 50) AS bigint) AS users_p50,
    CAST(min(users) FILTER (WHERE users_place * 100 >= measured * 90) AS bigint) AS users_p90,
    CAST(max(users) AS bigint) AS users_most
FROM ranked
