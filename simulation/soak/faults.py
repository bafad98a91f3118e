"""Clients of DynamoDB whose writes go wrong, each in a way of its own; reads always go well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from infra.emulators.dynamodb import DynamoDBEmulator

    Write = Callable[..., Any]


class Killed(Exception):
    """Whoever was about to write, or has just written, is no more."""


class Sound:
    """A client without a fault.

    Args:
        client: the store's.
        chance: what is left to chance.
        meanwhile: what somebody else does at the same time; a fault that needs it calls it.
    """

    def __init__(
        self, client: DynamoDBEmulator, chance: Random, meanwhile: Callable[[], None]
    ) -> None:
        self.get_item, self.query = client.get_item, client.query
        self.client, self.chance, self.meanwhile = client, chance, meanwhile

    def put_item(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        return self.write(self.client.put_item, arguments, arguments["Item"])

    def transact_write_items(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        item = arguments["TransactItems"][0]["Put"]["Item"]
        return self.write(self.client.transact_write_items, arguments, item)

    def write(self, operation: Write, arguments: dict[str, Any], item: Any) -> Any:
        """Write; ``item`` is the first one."""
        del item
        return operation(**arguments)


class AnswersLost(Sound):
    """Every write is done, and nobody hears of it."""

    def write(self, operation: Write, arguments: dict[str, Any], item: Any) -> Any:
        """See `Sound`."""
        super().write(operation, arguments, item)
        raise ReadTimeoutError(endpoint_url="https://dynamodb")


class AnswersLostAndRetried(Sound):
    """Likewise, and the client library writes again by itself: what it meets is its own write."""

    def write(self, operation: Write, arguments: dict[str, Any], item: Any) -> Any:
        """See `Sound`."""
        super().write(operation, arguments, item)
        return super().write(operation, arguments, item)


class Refused(Sound):
    """Every write is refused before it is done, the first time: the table is throttled."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._refused: set[str] = set()

    def write(self, operation: Write, arguments: dict[str, Any], item: Any) -> Any:
        """See `Sound`."""
        partition = item["pk"]["S"]
        if partition not in self._refused:
            self._refused.add(partition)
            raise _throttled()
        self._refused.remove(partition)
        return super().write(operation, arguments, item)


class KilledBetween(Sound):
    """Whoever writes dies right before a write, or right after it, nearly every other time."""

    def write(self, operation: Write, arguments: dict[str, Any], item: Any) -> Any:
        """See `Sound`."""
        fate = self.chance.random()
        if fate < 0.25:
            raise Killed
        answer = super().write(operation, arguments, item)
        if fate < 0.5:
            raise Killed
        return answer


class Beaten(Sound):
    """Whenever a head is to be written, somebody else has written it since it was read.

    At times again and again, until the writer gives up.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._more = 0

    def write(self, operation: Write, arguments: dict[str, Any], item: Any) -> Any:
        """See `Sound`."""
        if item["sk"]["S"] == "HEAD":
            self._more = self._more - 1 if self._more else self.chance.choice([1, 1, 1, 2, 7])
            if self._more:
                self.meanwhile()
        return super().write(operation, arguments, item)


class AnyOfThese(Sound):
    """Each write has a fate of its own; some go well."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._fates = [make(*arguments) for make in (*FAULTS, Sound)]

    def write(self, operation: Write, arguments: dict[str, Any], item: Any) -> Any:
        """See `Sound`."""
        return self.chance.choice(self._fates).write(operation, arguments, item)


FAULTS: tuple[type[Sound], ...] = (
    AnswersLost,
    AnswersLostAndRetried,
    Refused,
    KilledBetween,
    Beaten,
)


def _throttled() -> ClientError:
    metadata: Any = {"HTTPStatusCode": 400, "RequestId": "r", "RetryAttempts": 1}
    return ClientError(
        {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": metadata}, "PutItem"
    )
