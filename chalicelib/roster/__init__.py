"""Roster: who is in a room, by what its members, relays and Tencent say. Pure: no clock, no store.

May enter: what a report says, and what it changes. Not: where anything is kept, who may report.
"""
