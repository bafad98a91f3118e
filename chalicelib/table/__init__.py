"""The event table: reports, heads, changes, snapshots and sessions in DynamoDB.

May enter: keys, items, conditional writes and reads of the event table. Not: what a report means
(roster), who may send one (auth).
"""
