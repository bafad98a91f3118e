-- How good the evidence is: by what leaves are believed, and how long after they happened.
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
--   evidence     varchar  callback: Tencent said so; left: the client said so; witnessed, grace:
--                         other members' lists; lease: nothing was heard of the user, or of the
--                         room, any more; displaced: another one needed its place; replay: an
--                         operator's correction
--   leaves       bigint   leaves that are believed by it
--   share        double   of all leaves, 0 to 1
--   lag_p50_ms   bigint   ms from a leave until it was recorded: half took at most this long
--   lag_p90_ms   bigint
--   lag_p99_ms   bigint
--   lag_most_ms  bigint
WITH
-- include: wanted
transitions AS (  -- Each once: a row that was delivered again has the same id.
    SELECT DISTINCT id, t, delta, source, reason, lag_ms
    FROM events
    WHERE ev IN ('join', 'leave') AND (:app = 0 OR app = :app)
      AND dt BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 10)
                 AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 10)
      AND concat(dt, ' ', hour)
          BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 13)
              AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 13)
),
leaves AS (
    SELECT
        CASE
            WHEN source = 'tencent' AND reason IN ('left', 'timed-out', 'removed', 'dismissed')
            THEN 'callback' ELSE reason
        END AS evidence,
        lag_ms
    FROM transitions CROSS JOIN wanted
    WHERE delta < 0 AND t >= since AND t < until
),
ranked AS (
    SELECT
        evidence, lag_ms, count(*) OVER (PARTITION BY evidence) AS among,
        row_number() OVER (PARTITION BY evidence ORDER BY lag_ms) AS place
    FROM leaves
)
SELECT
    evidence,
    count(*) AS leaves,
    CAST(count(*) AS double) / sum(count(*)) OVER () AS share,
    min(lag_ms) FILTER (WHERE place * 100 >= among * 50) AS lag_p50_ms,
    min(lag_ms) FILTER (WHERE place * 100 >= among * 90) AS lag_p90_ms,
    min(lag_ms) FILTER (WHERE place * 100 >= among * 99) AS lag_p99_ms,
    max(lag_ms) AS lag_most_ms
FROM ranked
GROUP BY evidence
ORDER BY leaves DESC, evidence
