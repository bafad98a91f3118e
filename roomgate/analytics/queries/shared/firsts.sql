firsts AS (  -- Each user's first step in a room: who first goes was inside already.
    SELECT app, room, min_by(delta, place) AS delta
    FROM (
        SELECT app, room, user, delta,
               ver * 1000000 + CAST(split_part(id, '/', 4) AS bigint) AS place
        FROM transitions
    ) AS placed
    GROUP BY app, room, user
)
