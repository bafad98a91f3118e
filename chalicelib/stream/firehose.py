"""Sends records to Firehose, and those that fail again, a few times."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import get_session

from chalicelib.aws_errors import UNREACHABLE, error_code, is_transient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.stream.batching import FirehoseRecord

TIMEOUT_SECONDS: Final = 5.0
ROUNDS: Final = 5
"""How often a record is sent at most; after that the stream delivers it again."""

_FIRST_PAUSE: Final = 0.1  # Seconds; each pause is twice the one before, less up to half of it.
_TRANSIENT: Final = {
    "InternalFailure",
    "LimitExceededException",
    "ServiceUnavailableException",
    "ThrottlingException",
}
"""Error codes of PutRecordBatch after which the same call may succeed (AWS: API reference)."""


class DeliveryResult(NamedTuple):
    """What became of the records of a call.

    Attributes:
        rows: how many rows Firehose accepted.
        failed: the records that it did not accept, in their order.
        reasons: its error codes and how often each came, those of repeated sends included.
        unreachable: the last call failed as a whole.
    """

    rows: int
    failed: tuple[FirehoseRecord, ...]
    reasons: Counter[str]
    unreachable: bool


def connect() -> Any:
    """Make a client; the environment names region, credentials and (locally) the endpoint."""
    # No retries by botocore: Delivery sends again, and only what failed.
    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"total_max_attempts": 1},
    )
    return get_session().create_client("firehose", config=config)


class Delivery:
    """Sends records to one delivery stream.

    Args:
        client: a Firehose client; untyped, since one call is not worth its stubs.
        stream: the delivery stream's name.
        sleep: waits so many seconds.
        chance: makes a random number from 0 to 1.
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

    def send(self, call: Sequence[FirehoseRecord]) -> DeliveryResult:
        """Send the records of one call, and those that failed again.

        If an answer is lost, rows are sent twice; queries drop the repeats by the row's id.

        Raises:
            ClientError: a failure that does not pass, like a missing permission.
        """
        left, reasons, unreachable = list(call), Counter[str](), False
        for attempt in range(ROUNDS):
            if attempt:
                self._sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * (1 - self._chance() / 2))
            codes, unreachable = self._put(left)
            reasons.update(code for code in codes if code)
            left = [record for record, code in zip(left, codes, strict=True) if code]
            if not left:
                break
        rows = sum(record.rows for record in call) - sum(record.rows for record in left)
        return DeliveryResult(rows, tuple(left), reasons, unreachable)

    def _put(self, records: Sequence[FirehoseRecord]) -> tuple[list[str | None], bool]:
        """Send once; each record's error code or None, and whether the call failed as a whole."""
        entries = [{"Data": record.data} for record in records]
        try:
            answer = self._client.put_record_batch(DeliveryStreamName=self._stream, Records=entries)
        except ClientError as error:
            if not is_transient(error, _TRANSIENT):
                raise
            return [error_code(error)] * len(records), True
        except UNREACHABLE as error:
            return [type(error).__name__] * len(records), True
        return [entry.get("ErrorCode") for entry in answer["RequestResponses"]], False
