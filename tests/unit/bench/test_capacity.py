from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.capacity import Bill, Metered, kind_of
from infra.emulators.dynamodb import DynamoDBEmulator

NEW = {"ConditionExpression": "attribute_not_exists(pk)"}


@pytest.fixture
def bill() -> Bill:
    """Nothing was consumed yet."""
    return Bill()


@pytest.fixture
def client(bill: Bill) -> Metered:
    """An empty table."""
    return Metered(DynamoDBEmulator(), bill)


def item(size: int, pk: str = "P#1#1#a", sk: str = "E#1#1", **more: Any) -> Any:
    """An item of a size in bytes."""
    rest = size - len("pkskx") - len(pk) - len(sk)
    return {"pk": {"S": pk}, "sk": {"S": sk}, "x": {"S": "x" * rest}, **more}


@pytest.mark.parametrize(("size", "units"), [(100, 1), (1024, 1), (1025, 2), (5000, 5)])
def test_a_write_costs_by_the_kilobyte_begun(
    client: Metered, bill: Bill, size: int, units: int
) -> None:
    """The larger of the old and the new item counts; only what is new is stored."""
    client.put_item(TableName="t", Item=item(size))
    client.put_item(TableName="t", Item=item(50))
    assert bill.writes == {"reports": 2 * units}
    assert bill.stored == {"reports": size}


def test_a_write_that_its_condition_refuses_costs_as_much(client: Metered, bill: Bill) -> None:
    """It is a round trip as well; a transaction costs twice, canceled or not."""
    client.put_item(TableName="t", Item=item(2000), **NEW)
    with pytest.raises(ClientError):
        client.put_item(TableName="t", Item=item(100), **NEW)
    assert bill.writes == {"reports": 4}
    put = {"Put": {"TableName": "t", "Item": item(900), **NEW}}
    other = {"Put": {"TableName": "t", "Item": item(900, "R#1#1", "T#1")}}
    with pytest.raises(ClientError):
        client.transact_write_items(TransactItems=[put, other])
    client.transact_write_items(TransactItems=[other])
    assert bill.writes == {"reports": 8, "changes": 4}
    assert bill.lost == {"reports": 2}
    assert bill.calls.total() == 4


def test_a_read_costs_by_four_kilobytes_begun(client: Metered, bill: Bill) -> None:
    """Of a query's sum; half if it need not be strong; one where nothing is found."""
    for number in range(3):
        client.put_item(TableName="t", Item=item(2000, sk=f"E#{number}"))
    asked = {
        "TableName": "t",
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": "P#1#1#a"},
            ":first": {"S": "E#"},
            ":last": {"S": "E#9"},
        },
    }
    client.query(**asked, ConsistentRead=True)
    assert bill.read_units == 2
    client.query(**asked)
    assert bill.read_units == 3
    client.get_item(TableName="t", Key=item(50, "R#1#1", "HEAD"), ConsistentRead=True)
    assert bill.read_units == 4


def test_the_index_is_paid_when_its_row_comes_moves_or_goes(client: Metered, bill: Bill) -> None:
    """A head that is due at the same minute costs the index nothing."""
    costs = []
    for due in ("5", "5", "6", None):
        more: Any = {} if due is None else {"open": {"S": "o"}, "due": {"N": due}}
        client.put_item(TableName="t", Item=item(100, "R#1#1", "HEAD", **more))
        costs.append(bill.index)
    assert costs == [1, 1, 3, 4]


@pytest.mark.parametrize(
    ("pk", "sk", "kind"),
    [
        ("P#1#1#a", "E#1#1", "reports"),
        ("R#1#1", "HEAD", "heads"),
        ("R#1#1", "T#1", "changes"),
        ("R#1#1", "ROSTER#1", "snapshots"),
        ("U#1#a", "S#1#1", "sessions"),
    ],
)
def test_what_an_item_is_stands_in_its_key(pk: str, sk: str, kind: str) -> None:
    """So units can be told by what they went for."""
    assert kind_of({"pk": {"S": pk}, "sk": {"S": sk}}) == kind
