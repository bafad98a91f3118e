-- Rejoins and flaps: users who go and soon come back, by why they were believed to have gone.
--
-- A rejoin is a join of the same user in the same room within 5 minutes of its leave, a flap one
-- within 30 seconds: a lost connection, or a leave that was believed too soon. A leave counts if it
-- was between :since and :until. Reads the hours of arrival from 1 before :since to 5 after :until:
-- rows may be an hour late, and a leave by lease is dated up to 4 hours back.
--
-- Parameters:
--   :since  timestamp  the first moment that is asked about, UTC (default: today - 1)
--   :until  timestamp  the moment after the last one, UTC (default: today)
--   :app    bigint     sdkAppId of the application; 0: all of them (default: 0)
--
-- Columns:
--   reason        varchar  of the leave; all: of any
--   leaves        bigint   leaves
--   rejoins       bigint   those of them with a rejoin, flaps among them
--   flaps         bigint   those of them with a flap
--   rejoin_share  double   rejoins / leaves, 0 to 1
--   flap_share    double   flaps / leaves, 0 to 1
WITH
-- include: wanted
transitions AS (  -- Each once: a row that was delivered again has the same id.
    SELECT DISTINCT id, app, room, user, t, ver, delta, reason
    FROM events
    WHERE ev IN ('join', 'leave') AND (:app = 0 OR app = :app)
      AND dt BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 10)
                 AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 10)
      AND concat(dt, ' ', hour)
          BETWEEN substr(CAST(:since - INTERVAL '1' HOUR AS varchar), 1, 13)
              AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 13)
),
steps AS (
    SELECT
        t, delta, reason,
        lead(t) OVER (
            PARTITION BY app, room, user ORDER BY ver, CAST(split_part(id, '/', 4) AS bigint)
        ) - t AS away_ms
    FROM transitions
),
counted AS (
    SELECT
        coalesce(reason, 'all') AS reason,
        count(*) AS leaves,
        count(CASE WHEN away_ms <= 300000 THEN 1 END) AS rejoins,
        count(CASE WHEN away_ms <= 30000 THEN 1 END) AS flaps
    FROM steps CROSS JOIN wanted
    WHERE delta < 0 AND t >= since AND t < until
    GROUP BY GROUPING SETS ((reason), ())
)
SELECT
    reason,
    leaves,
    rejoins,
    flaps,
    CAST(rejoins AS double) / NULLIF(leaves, 0) AS rejoin_share,
    CAST(flaps AS double) / NULLIF(leaves, 0) AS flap_share
FROM counted
ORDER BY leaves DESC, reason
