"""Who takes part in a call beside Roomgate, stood in on loopback; never part of the bundle."""
