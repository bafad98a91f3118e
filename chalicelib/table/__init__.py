"""The event table: reports, heads, changes, snapshots and sessions in DynamoDB.

Belongs here: keys, items, conditional writes and reads of the event table. Does not: what a report
means (roster), who may send one (auth).
"""
