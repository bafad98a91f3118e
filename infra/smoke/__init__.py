"""A walk through what is deployed: keys, entries, reports, rosters."""
