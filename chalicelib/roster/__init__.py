"""Roster: what a member's report says about who is in the room. Pure: no clock, no store."""
