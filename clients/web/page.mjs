// The Chrome side of a room: the TRTC web SDK beside Roomgate's member. No build step.
//
// TRTC's SDK (v5) is loaded from trtc.js beside this page if it lies there, else from nowhere: then
// the page enters without video, as one who only reports.

import { Member, browserPlatform, watchTrtc } from '../member/roomgate-member.mjs';

const element = (id) => document.getElementById(id);
const WORDS = {
  idle: 'Choose a room. 选择房间。',
  entering: 'Entering… 正在进入…',
  connecting: 'Connecting… 正在连接…',
  inside: 'You are in the room. 您在房间内。',
  suspended: 'Paused. 已暂停。',
  left: 'You have left. 您已离开。',
  failed: 'The room cannot be entered. 无法进入房间。',
};

let member = null;
let session = null;
let sdk = null;
let entryInUse = null;
let endWatch = null;

/** Post JSON to the backend; rejects with its problem. */
async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  if (session) headers.Authorization = `Bearer ${session}`;
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw { status: response.status, ...answer, retryAfter: response.headers.get('Retry-After') };
}

function log(line) {
  const item = document.createElement('li');
  item.textContent = line;
  element('log').prepend(item);
  while (element('log').children.length > 50) element('log').lastChild.remove();
}

/** The browser's platform, which also shows what is sent to Roomgate. */
function loggingPlatform() {
  const platform = browserPlatform(window);
  const send = (request) => {
    const sending = platform.send(request);
    if (request.method === 'GET') return sending;
    const { body = {} } = request;
    const what = body.heartbeat ? 'heartbeat' : body.left ? `#${body.seq} left` : `#${body.seq} ${body.userlist.length} others`;
    const note = sending.then(
      ({ status, body: answer }) => log(`${what} → ${status} ${answer.outcome || answer.code}`),
      (error) => log(`${what} → ${error.message}`),
    );
    return Object.assign(note.then(() => sending), { abort: sending.abort });
  };
  return { ...platform, send };
}

/** Bring the SDK into the room of a new entry, or out of the one before. */
async function follow(state) {
  if (state.entry === entryInUse) return;
  const before = entryInUse;
  entryInUse = state.entry;
  if (before && sdk) await sdk.exitRoom().catch((error) => log(`exitRoom: ${error.message}`));
  if (!state.entry || state.entry !== entryInUse) return;
  if (!sdk) return member.entered();
  const { sdkAppId, userId, userSig, privateMapKey, roomId } = state.entry;
  try {
    await sdk.enterRoom({ sdkAppId, userId, userSig, privateMapKey, roomId, scene: 'rtc' });
    member.entered();
    await sdk.startLocalAudio().catch((error) => log(`microphone: ${error.message}`));
    await sdk.startLocalVideo({ view: 'view-me' }).catch((error) => log(`camera: ${error.message}`));
  } catch (error) {
    member.lost(1022, error.message);
  }
}

function tile(name, id, marks) {
  const item = document.createElement('li');
  const view = document.createElement('div');
  const who = document.createElement('div');
  const small = document.createElement('div');
  view.className = 'view';
  view.id = id;
  view.textContent = name.replace(/^demo-/, '').slice(0, 1).toUpperCase();
  view.setAttribute('aria-hidden', 'true');
  who.className = 'who';
  who.textContent = name;
  small.className = 'marks';
  who.append(small);
  item.append(view, who);
  item.marks = small;
  item.marks.textContent = marks;
  return item;
}

/** Tiles are kept while their members stay, so that videos in them are. */
function showMembers(state) {
  const list = element('members');
  const inside = state.phase === 'inside';
  const wanted = new Map();
  if (inside) wanted.set('view-me', [state.entry.userId, 'you 您']);
  for (const { userid, streams } of inside ? state.members : []) {
    const main = streams.find(({ type }) => type === 'main') || {};
    const marks = [main.video && 'video 视频', main.audio && 'audio 音频'].filter(Boolean).join(', ');
    wanted.set(`view-${userid}`, [userid, marks]);
  }
  for (const item of [...list.children]) if (!wanted.has(item.firstChild.id)) item.remove();
  for (const [id, [name, marks]] of wanted) {
    const view = document.getElementById(id);
    if (view) view.parentNode.marks.textContent = marks;
    else list.append(tile(name, id, marks));
  }
}

function show(state) {
  const away = ['idle', 'left', 'failed'].includes(state.phase);
  element('status').textContent = WORDS[state.phase];
  element('enter').disabled = !away;
  element('leave').disabled = away;
  const { problem } = state;
  element('problem').hidden = !problem;
  element('problem').textContent = problem ? `${problem.detail || ''} (${problem.tencentCode || problem.code})` : '';
  showMembers(state);
  follow(state);
}

async function enter(event) {
  event.preventDefault();
  const roomId = Number(element('room').value);
  element('enter').disabled = true;
  try {
    session = null;
    session = (await post('/demo-login', { userId: element('name').value })).token;
  } catch (problem) {
    show({ phase: 'failed', members: [], problem, entry: null });
    return;
  }
  member = new Member({
    platform: loggingPlatform(),
    getEntry: () => post('/enter', { roomId }),
    onChange: show,
  });
  if (endWatch) endWatch();
  if (sdk) endWatch = watchTrtc(sdk, window.TRTC.EVENT, member);
  member.enter();
}

/** Who is inside by Roomgate's roster; it costs next to nothing while it is the same. */
async function showRoster() {
  if (!member || member.state.phase !== 'inside') return;
  const roster = await member.roster().catch((error) => log(`roster → ${error.message}`));
  if (!roster) return;
  element('roster').textContent = roster.members.map(({ userId, confirmed }) => userId + (confirmed ? '' : ' ?')).join(', ');
}

/** Play a user's video where its tile is. */
function playVideos() {
  sdk.on(window.TRTC.EVENT.REMOTE_VIDEO_AVAILABLE, ({ userId, streamType }) => {
    sdk.startRemoteVideo({ userId, streamType, view: `view-${userId}` }).catch((error) => log(`video of ${userId}: ${error.message}`));
  });
}

/** TRTC's SDK as a script beside this page, if it lies there. */
async function loadSdk() {
  if (!window.TRTC) {
    const there = await fetch('trtc.js', { method: 'HEAD' }).then(({ ok }) => ok, () => false);
    if (there) {
      await new Promise((resolve) => {
        const script = Object.assign(document.createElement('script'), { src: 'trtc.js', onload: resolve, onerror: resolve });
        document.head.append(script);
      });
    }
  }
  if (window.TRTC) {
    sdk = window.TRTC.create();
    playVideos();
  } else {
    element('sdk').textContent = 'TRTC’s web SDK is not here, so there is no video: put its trtc.js beside this page. 未找到 TRTC Web SDK（trtc.js），因此没有视频。';
  }
}

element('form').addEventListener('submit', enter);
element('leave').addEventListener('click', () => member && member.leave());
setInterval(showRoster, 3000);
await loadSdk();
document.documentElement.dataset.ready = 'yes';
