transitions AS (  -- Each once: a row that was delivered again has the same id.
    SELECT DISTINCT id, app, room, user, t, ver, delta
    FROM events
    WHERE ev IN ('join', 'leave') AND (:app = 0 OR app = :app)
      AND dt BETWEEN substr(CAST(:since - INTERVAL '25' HOUR AS varchar), 1, 10)
                 AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 10)
      AND concat(dt, ' ', hour)
          BETWEEN substr(CAST(:since - INTERVAL '25' HOUR AS varchar), 1, 13)
              AND substr(CAST(:until + INTERVAL '5' HOUR AS varchar), 1, 13)
)
