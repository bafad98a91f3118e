wanted AS (  -- In unix ms.
    SELECT
        date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', :since) AS since,
        date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', :until) AS until
)
