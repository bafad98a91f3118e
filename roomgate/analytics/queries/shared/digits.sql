digits AS (  -- Not sequence(): Athena's ends at 10,000.
    SELECT digit
    FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS listed (digit)
)
