"""What reads the event table's stream: keeper, sweeper, and the lake's exporter.

May enter: stream records, batches and their partial failures, lake rows, Firehose, quarantine. Not:
what a report means (roster), what a query asks, how the lake is deployed.
"""
