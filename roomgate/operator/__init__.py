"""What the commands do to one stack: keys, callers, events, checks."""
