"""Readers of the event table's stream: keeper, the lake's exporter; and the sweeper.

Belongs here: stream records, partial batch responses, quarantine, lake rows, Firehose. Does not:
what a report means (roster), how the table is queried (table), how the lake is deployed (infra).
"""
