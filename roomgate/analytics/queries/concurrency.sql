-- Concurrent users, minute by minute.
--
-- Reads the hours of arrival from 25 before :since to 5 after :until. Rows may be an hour late; a
-- leave by lease is dated up to 4 hours back; and 24 hours back tell who was inside at :since. Who
-- came before those and has not gone by then is not seen.
-- A user in two rooms counts twice.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   minute      timestamp  its beginning, UTC; every minute is there, at most 1,000,000
--   users_most  bigint     users inside at once: the most during that minute
--   users_last  bigint     users inside at its end
--   rooms       bigint     rooms in which somebody came or went during it
WITH
-- include: wanted, transitions, firsts, digits
minutes AS (
    SELECT since + 60000 * CAST(
        a.digit + 10 * b.digit + 100 * c.digit
        + 1000 * d.digit + 10000 * e.digit + 100000 * f.digit AS bigint
    ) AS t
    FROM wanted
    CROSS JOIN digits AS a CROSS JOIN digits AS b CROSS JOIN digits AS c
    CROSS JOIN digits AS d CROSS JOIN digits AS e CROSS JOIN digits AS f
),
steps AS (  -- A step of nothing begins each minute, so that it has the number from before.
    SELECT t, sum(delta) AS delta FROM transitions GROUP BY t
    UNION ALL
    SELECT t, 0 FROM minutes CROSS JOIN wanted WHERE t < until
),
levels AS (
    SELECT t, sum(sum(delta)) OVER (ORDER BY t ROWS UNBOUNDED PRECEDING)
        + (SELECT count(*) FROM firsts WHERE delta < 0) AS users
    FROM steps
    GROUP BY t
),
active AS (
    SELECT
        t - (t - since) % 60000 AS t,
        count(DISTINCT concat(CAST(app AS varchar), '/', room)) AS rooms
    FROM transitions CROSS JOIN wanted
    WHERE t >= since AND t < until
    GROUP BY 1
),
by_minute AS (
    SELECT
        t - (t - since) % 60000 AS t,
        max(users) AS users_most,
        max_by(users, t) AS users_last
    FROM levels CROSS JOIN wanted
    WHERE t >= since AND t < until
    GROUP BY 1
)
SELECT
    TIMESTAMP '1970-01-01 00:00:00' + CAST(m.t AS double) * INTERVAL '0.001' SECOND AS minute,
    CAST(users_most AS bigint) AS users_most,
    CAST(users_last AS bigint) AS users_last,
    coalesce(rooms, 0) AS rooms
FROM by_minute AS m LEFT JOIN active ON active.t = m.t
ORDER BY m.t
