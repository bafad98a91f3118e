'use strict';

/** Listen with `on(name, handler)` and return what ends it. */
function listen(sdk, handlers) {
  for (const name of Object.keys(handlers)) sdk.on(name, handlers[name]);
  return () => {
    for (const name of Object.keys(handlers)) sdk.off(name, handlers[name]);
  };
}

/** TRTC's web SDK, version 5: `watchTrtc(trtc, TRTC.EVENT, member)` before `trtc.enterRoom`. */
function watchTrtc(trtc, EVENT, member) {
  const change = (kind, value) => ({ userId, streamType }) =>
    member.streamChanged(userId, streamType === 'sub' ? 'aux' : 'main', { [kind]: value });
  return listen(trtc, {
    [EVENT.REMOTE_USER_ENTER]: ({ userId }) => member.userEntered(userId),
    [EVENT.REMOTE_USER_EXIT]: ({ userId }) => member.userExited(userId),
    [EVENT.REMOTE_VIDEO_AVAILABLE]: change('video', true),
    [EVENT.REMOTE_VIDEO_UNAVAILABLE]: change('video', false),
    [EVENT.REMOTE_AUDIO_AVAILABLE]: change('audio', true),
    [EVENT.REMOTE_AUDIO_UNAVAILABLE]: change('audio', false),
    [EVENT.KICKED_OUT]: ({ reason }) => member.kickedOut(reason),
    [EVENT.CONNECTION_STATE_CHANGED]: ({ state }) => state === 'CONNECTED' && member.online(),
  });
}

/** trtc-wx-sdk: `watchTrtcWx(trtc, trtc.EVENT, member)`. */
function watchTrtcWx(trtc, EVENT, member) {
  const change = (kind, value) => ({ data: { player } }) =>
    member.streamChanged(player.userID, player.streamType || 'main', { [kind]: value, playurl: player.src });
  return listen(trtc, {
    [EVENT.LOCAL_JOIN]: () => member.entered(),
    [EVENT.REMOTE_USER_JOIN]: ({ data }) => member.userEntered(data.userID),
    [EVENT.REMOTE_USER_LEAVE]: ({ data }) => member.userExited(data.userID),
    [EVENT.REMOTE_VIDEO_ADD]: change('video', true),
    [EVENT.REMOTE_VIDEO_REMOVE]: change('video', false),
    [EVENT.REMOTE_AUDIO_ADD]: change('audio', true),
    [EVENT.REMOTE_AUDIO_REMOVE]: change('audio', false),
    [EVENT.KICKED_OUT]: () => member.kickedOut('trtc-wx-sdk'),
  });
}

module.exports = { watchTrtc, watchTrtcWx };
