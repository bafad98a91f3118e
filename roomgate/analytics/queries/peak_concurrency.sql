-- Peak concurrency: the most users inside at once, for each day.
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
--   day      timestamp  its beginning, UTC: :since, and every 24 hours after it, at most 1,000
--   users    bigint     the most users inside at once
--   peak_at  timestamp  when first so many were, UTC
WITH
-- include: wanted, transitions, firsts, digits
days AS (
    SELECT since + 86400000 * CAST(a.digit + 10 * b.digit + 100 * c.digit AS bigint) AS t
    FROM wanted
    CROSS JOIN digits AS a CROSS JOIN digits AS b CROSS JOIN digits AS c
),
steps AS (  -- A step of nothing begins each day, so that it has the number from before.
    SELECT t, sum(delta) AS delta FROM transitions GROUP BY t
    UNION ALL
    SELECT t, 0 FROM days CROSS JOIN wanted WHERE t < until
),
levels AS (
    SELECT t, sum(sum(delta)) OVER (ORDER BY t ROWS UNBOUNDED PRECEDING)
        + (SELECT count(*) FROM firsts WHERE delta < 0) AS users
    FROM steps
    GROUP BY t
),
during AS (
    SELECT t - (t - since) % 86400000 AS day, t, users
    FROM levels CROSS JOIN wanted
    WHERE t >= since AND t < until
),
by_day AS (
    SELECT day, max(users) AS users FROM during GROUP BY day
),
peaks AS (
    SELECT d.day, d.users, min(t) AS t
    FROM by_day AS d JOIN during ON during.day = d.day AND during.users = d.users
    GROUP BY d.day, d.users
)
SELECT
    TIMESTAMP '1970-01-01 00:00:00' + CAST(day AS double) * INTERVAL '0.001' SECOND AS day,
    CAST(users AS bigint) AS users,
    TIMESTAMP '1970-01-01 00:00:00' + CAST(t AS double) * INTERVAL '0.001' SECOND AS peak_at
FROM peaks
ORDER BY peaks.day
