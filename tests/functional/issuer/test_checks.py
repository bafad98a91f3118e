"""How often an entry's identifiers are checked: at the edge, and once where bytes are signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.trtc import identifiers
from tests.functional.issuer.conftest import ECDSA_APP, HMAC_APP
from tests.support.calls import counted_calls

if TYPE_CHECKING:
    from tests.functional.issuer.conftest import Issuer

CHECKS = (
    identifiers.check_sdk_app_id,
    identifiers.check_user_id,
    identifiers.parse_number_room,
    identifiers.parse_named_room,
)


@pytest.mark.parametrize(
    ("where", "room_parser"),
    [
        ({"sdkAppId": ECDSA_APP, "roomId": 1234}, "parse_number_room"),
        ({"sdkAppId": HMAC_APP, "strRoomId": "lobby"}, "parse_named_room"),
    ],
)
def test_an_entry_checks_each_identifier_at_the_edge_and_where_it_is_signed(
    issuer: Issuer, where: dict[str, Any], room_parser: str
) -> None:
    """An entry signs two tickets: each checks whom it is for, and one of them its room.

    At the edge the sdkAppId is checked by the schema, as a whole number with the same bounds.
    """
    body = {**where, "userId": "alice"}
    assert issuer.post("/v1/entries", body).status == 200
    with counted_calls(*CHECKS) as calls:
        assert issuer.post("/v1/entries", body).status == 200
    assert calls == {"check_sdk_app_id": 2, "check_user_id": 3, room_parser: 2}
