"""Handing packs to Firehose until it has them, or was asked often enough."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.session import get_session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.stream.batching import RowBatch

TIMEOUT_SECONDS: Final = 5.0
ROUNDS: Final = 5
"""How often a pack is sent at most; the stream brings it again after that."""

_FIRST_PAUSE: Final = 0.1  # seconds; each one is twice the one before, and up to half of it less
_PASSING: Final = {
    "InternalFailure",
    "LimitExceededException",
    "ServiceUnavailableException",
    "ThrottlingException",
}


class Sent(NamedTuple):
    """What became of some packs.

    Attributes:
        rows: how many Firehose has.
        failed: the packs that it does not have, in their order.
        reasons: what it said of failures, those that passed among them, and how often.
        down: the last call failed as a whole.
    """

    rows: int
    failed: tuple[RowBatch, ...]
    reasons: Counter[str]
    down: bool


def connect() -> Any:
    """Make a client; the environment names region, credentials and (locally) the endpoint."""
    # No retries of its own: what failed is sent again here, and only that.
    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"total_max_attempts": 1},
    )
    return get_session().create_client("firehose", config=config)


class Delivery:
    """Hands packs to one delivery stream.

    Args:
        client: of Firehose; its types are not installed for the sake of one call.
        stream: the delivery stream's name.
        sleep: waits so many seconds.
        chance: a random number from 0 to 1.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        sleep: Callable[[float], None],
        chance: Callable[[], float],
    ) -> None:
        self._client = client
        self._stream = stream
        self._sleep = sleep
        self._chance = chance

    def send(self, call: Sequence[RowBatch]) -> Sent:
        """Send the packs of one call, and again those that the answer says have failed.

        An answer that is lost makes repeats: queries drop them by the row's id.

        Raises:
            ClientError: a failure that does not pass, like a missing right.
        """
        left, reasons, down = list(call), Counter[str](), False
        for again in range(ROUNDS):
            if again:
                self._sleep(_FIRST_PAUSE * 2 ** (again - 1) * (1 - self._chance() / 2))
            said, down = self._put(left)
            reasons.update(reason for reason in said if reason)
            left = [pack for pack, reason in zip(left, said, strict=True) if reason]
            if not left:
                break
        rows = sum(pack.rows for pack in call) - sum(pack.rows for pack in left)
        return Sent(rows, tuple(left), reasons, down)

    def _put(self, packs: Sequence[RowBatch]) -> tuple[list[str | None], bool]:
        """Ask once; why each pack failed, or None, and whether the call failed as a whole."""
        records = [{"Data": pack.data} for pack in packs]
        try:
            answer = self._client.put_record_batch(DeliveryStreamName=self._stream, Records=records)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code not in _PASSING and status < 500:  # noqa: PLR2004 (HTTP's own number)
                raise
            return [code] * len(packs), True
        except (HTTPClientError, BotocoreConnectionError) as error:
            return [type(error).__name__] * len(packs), True
        return [each.get("ErrorCode") for each in answer["RequestResponses"]], False
