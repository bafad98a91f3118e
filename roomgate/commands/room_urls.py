"""``roomgate room-url``: from Tencent's answer to a roomsig request to the room's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chalicelib.trtc import BadRoomUrl, RoomsigRefused, RoomsigUnusable, room_url, roomsig_of
from roomgate.commands.groups import Command
from roomgate.commands.options import ROOM_ID, SDK_APP_ID, USER_ID
from roomgate.operator.errors import OperatorError
from roomgate.operator.files import Given, TextFile

if TYPE_CHECKING:
    from chalicelib.trtc.identifiers import NumberRoom, SdkAppId, UserId
    from roomgate.commands.session import Session


@click.command("room-url", cls=Command)
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("user_id", type=USER_ID)
@click.argument("room_id", type=ROOM_ID)
@click.argument("file", type=TextFile("Tencent's answer"), default="-")
@click.option(
    "--pure-audio", type=click.IntRange(1, 2), help="Tencent's pure_audio_push_mod, for sound only."
)
@click.option("--record-id", type=click.IntRange(0, 2**32 - 1), help="Tencent's record_id.")
@click.pass_obj
def room_url_command(
    session: Session,
    /,
    sdk_app_id: SdkAppId,
    user_id: UserId,
    room_id: NumberRoom,
    file: Given,
    **options: Any,
) -> None:
    """Make the room:// URL for a client that has its roomsig.

    FILE (or standard input) holds what Tencent answered to the roomsig request, which the user's
    own client sent: this command never sends it, since Tencent chooses the media route for the
    address that asks. It works offline.
    """
    try:
        url = room_url(
            sdk_app_id=sdk_app_id,
            user_id=user_id,
            room=room_id,
            roomsig=roomsig_of(file.text),
            **options,
        )
    except RoomsigRefused as refused:
        said = f" Tencent says: {refused.info}" if refused.info else ""
        raise OperatorError(
            f"Tencent refused, so there is no URL: {refused.code}: {refused.explanation}{said}"
        ) from None
    except (RoomsigUnusable, BadRoomUrl) as error:
        raise OperatorError(
            f"No URL can be made of {file.name}: {error.reason} Needed is the JSON that Tencent "
            "answered to the roomsig request, as it came."
        ) from None
    session.output.answer({"roomUrl": url}, url)
