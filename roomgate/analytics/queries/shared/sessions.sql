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
)
