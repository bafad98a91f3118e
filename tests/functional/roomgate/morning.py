"""A morning in an event table, and a lake for its rows, on moto."""

from __future__ import annotations

import json

import boto3

from chalicelib.roster.signal import Kind, Signal, Source
from chalicelib.roster.view import view_of
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from tests.functional.roomgate.conftest import BOTO, STACK
from tests.support.event_table import create_table, report
from tests.support.lake_rows import APP, ms

TABLE = "events"
BUCKET = f"{STACK}-lake-bucket-1a2b3c"
# Who lists whom, when; across the hour, so that there are two folders.
LISTS = (
    ("09:58:00", "anna", ""),
    ("09:58:30", "berta", "anna"),
    ("09:59:00", "carla", "anna berta"),
    ("10:20:00", "anna", "carla"),
    ("10:20:01", "carla", "anna"),
)


def know_a_morning() -> EventTable:
    """An event table that knows a room's morning, and somebody in another application."""
    client = boto3.client("dynamodb")
    create_table(client, TABLE)
    table = EventTable(client, TABLE)
    for seq, (at, user, others) in enumerate(LISTS):
        view = view_of(user, dict.fromkeys(others.split()))
        said = report(parse_room(7), view, seq, epoch=ms("09:00:00"), age=40, app=APP)
        RoomWriter(table).record(said._replace(received=ms(at)), ms(at))
    RoomWriter(table).settle(RoomKey(APP, parse_room(7)), ms("10:21:00"))
    eleven = ms("11:00:00")
    enters = Signal(Kind.ENTERED, Source.TENCENT, "dora", eleven - 90, eleven)
    RoomWriter(table).apply(RoomKey(APP + 1, parse_room("aula")), enters, eleven)
    return table


def make_lake() -> None:
    """The stack of the lake, as far as the command line looks at it."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}
    outputs = {"LakeBucket": {"Value": {"Ref": "Bucket"}}}
    template = json.dumps({"Resources": {"Bucket": bucket}, "Outputs": outputs})
    BOTO.client("cloudformation").create_stack(StackName=f"{STACK}-lake", TemplateBody=template)
