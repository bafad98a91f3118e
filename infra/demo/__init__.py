"""`make demo-data`: lifelike days of rooms, for analytics."""
