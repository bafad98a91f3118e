'use strict';

// What stands between the member and its hosts: wx, the browser, TRTC's two SDKs.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { EventEmitter } = require('events');
const { Member, wxPlatform, browserPlatform, watchTrtc, watchTrtcWx } = require('../../clients/member');
const { World } = require('./support/world');
const { Server } = require('./support/server');
const { Phone } = require('./support/phone');

/** A wx whose requests are answered by `answer(options)`. */
function fakeWx(answer) {
  const listeners = new Map();
  const on = (name) => (run) => listeners.set(name, run);
  const off = (name) => (run) => listeners.get(name) === run && listeners.delete(name);
  const stored = new Map();
  return {
    listeners,
    requests: [],
    aborted: 0,
    getStorageSync: (key) => stored.get(key) || '',
    setStorageSync: (key, value) => stored.set(key, value),
    onAppShow: on('show'),
    offAppShow: off('show'),
    onNetworkStatusChange: on('network'),
    offNetworkStatusChange: off('network'),
    request(options) {
      this.requests.push(options);
      answer(options);
      return { abort: () => (this.aborted += 1) };
    },
  };
}

const REQUEST = { method: 'POST', url: 'https://rooms.test/', headers: { Authorization: 'Bearer x' }, body: { seq: 0 }, timeoutMs: 5000 };

test('wx: a request as wx.request takes it, and headers in lower case', async () => {
  const wx = fakeWx(({ success }) => success({ statusCode: 429, header: { 'Retry-After': '7' }, data: '{"code":"rate-limited"}' }));
  const answer = await wxPlatform(wx).send(REQUEST);
  assert.deepEqual(answer, { status: 429, headers: { 'retry-after': '7' }, body: { code: 'rate-limited' } });
  const { method, url, header, data, timeout } = wx.requests[0];
  assert.deepEqual({ method, url, header, data, timeout }, { method: 'POST', url: REQUEST.url, header: REQUEST.headers, data: { seq: 0 }, timeout: 5000 });
});

test('wx: no answer rejects with its reason, and a request can be aborted', async () => {
  const wx = fakeWx(({ fail }) => fail({ errMsg: 'request:fail timeout' }));
  const sending = wxPlatform(wx).send(REQUEST);
  sending.abort();
  await assert.rejects(sending, /request:fail timeout/);
  assert.equal(wx.aborted, 1);
});

test('wx: the app that shows and the network that is back reach the member, until it ends', () => {
  const wx = fakeWx(() => {});
  const heard = [];
  const stop = wxPlatform(wx).watch({ shown: () => heard.push('shown'), online: () => heard.push('online') });
  wx.listeners.get('show')();
  wx.listeners.get('network')({ isConnected: false });
  wx.listeners.get('network')({ isConnected: true });
  assert.deepEqual(heard, ['shown', 'online']);
  stop();
  assert.equal(wx.listeners.size, 0);
});

test('wx: what is stored is read again, and nothing is null', () => {
  const { storage } = wxPlatform(fakeWx(() => {}));
  assert.equal(storage.get('a'), null);
  storage.set('a', { epoch: 1, seq: 2 });
  assert.deepEqual(storage.get('a'), { epoch: 1, seq: 2 });
});

test('a store that is full or forbidden stops nothing', () => {
  const refuse = () => {
    throw new Error('test: no store');
  };
  const wx = Object.assign(fakeWx(refuse), { getStorageSync: refuse, setStorageSync: refuse });
  const window = fakeWindow(null);
  Object.defineProperty(window, 'localStorage', { get: refuse });
  for (const { storage } of [wxPlatform(wx), browserPlatform(window)]) {
    storage.set('a', 1);
    assert.equal(storage.get('a'), null);
  }
});

/** A window whose fetch is `fetch`. */
function fakeWindow(fetch) {
  const stored = new Map();
  const localStorage = { getItem: (key) => stored.get(key) || null, setItem: (key, value) => stored.set(key, value) };
  const document = Object.assign(new EventTarget(), { hidden: false });
  return Object.assign(new EventTarget(), { fetch, document, localStorage, performance, AbortController });
}

test('browser: the last word is sent with keepalive, the others without', async () => {
  const sent = [];
  const window = fakeWindow(async (url, options) => {
    sent.push(options);
    return new Response('{"outcome":"applied"}', { status: 200, headers: { ETag: '"1"' } });
  });
  const platform = browserPlatform(window);
  assert.deepEqual(await platform.send(REQUEST), { status: 200, headers: { 'retry-after': null, etag: '"1"' }, body: { outcome: 'applied' } });
  await platform.send({ ...REQUEST, last: true });
  assert.deepEqual(sent.map(({ keepalive, body }) => [keepalive, body]), [[false, '{"seq":0}'], [true, '{"seq":0}']]);
});

test('browser: a request without an answer ends by its timeout, or by abort', async () => {
  const hang = (url, { signal }) => new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const platform = browserPlatform(fakeWindow(hang));
  await assert.rejects(platform.send({ ...REQUEST, timeoutMs: 10 }));
  const sending = platform.send(REQUEST);
  sending.abort();
  await assert.rejects(sending);
});

test('browser: a body that is no JSON stays text', async () => {
  const platform = browserPlatform(fakeWindow(async () => new Response('<html>', { status: 502 })));
  assert.equal((await platform.send(REQUEST)).body, '<html>');
});

test('browser: the page that goes, comes back and is online reaches the member, until it ends', () => {
  const window = fakeWindow(null);
  const heard = [];
  const member = { shown: () => heard.push('shown'), online: () => heard.push('online'), pageGoes: () => heard.push('goes') };
  const stop = browserPlatform(window).watch(member);
  window.dispatchEvent(new Event('pagehide'));
  window.dispatchEvent(new Event('pageshow'));
  window.dispatchEvent(new Event('online'));
  window.document.hidden = true;
  window.document.dispatchEvent(new Event('visibilitychange'));
  window.document.hidden = false;
  window.document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(heard, ['goes', 'shown', 'online', 'shown']);
  stop();
  window.dispatchEvent(new Event('pagehide'));
  assert.equal(heard.length, 4);
});

/** A member that is connecting, in a virtual world. */
async function connecting() {
  const world = new World(1);
  const server = new Server(world);
  const member = new Member({ platform: new Phone(world, server).platform, getEntry: async () => server.entry('anna') });
  member.enter();
  await world.pass(100);
  return { world, server, member };
}

const V5 = {
  REMOTE_USER_ENTER: 'remote-user-enter',
  REMOTE_USER_EXIT: 'remote-user-exit',
  REMOTE_VIDEO_AVAILABLE: 'remote-video-available',
  REMOTE_VIDEO_UNAVAILABLE: 'remote-video-unavailable',
  REMOTE_AUDIO_AVAILABLE: 'remote-audio-available',
  REMOTE_AUDIO_UNAVAILABLE: 'remote-audio-unavailable',
  KICKED_OUT: 'kicked-out',
  CONNECTION_STATE_CHANGED: 'connection-state-changed',
};

test('web SDK v5: users, streams, and being put out', async () => {
  const { world, server, member } = await connecting();
  const trtc = new EventEmitter();
  const stop = watchTrtc(trtc, V5, member);
  member.entered();
  trtc.emit('remote-user-enter', { userId: 'bob' });
  trtc.emit('remote-user-enter', { userId: 'carl' });
  trtc.emit('remote-video-available', { userId: 'bob', streamType: 'sub' });
  trtc.emit('remote-audio-available', { userId: 'bob' });
  trtc.emit('remote-user-exit', { userId: 'carl' });
  trtc.emit('connection-state-changed', { prevState: 'CONNECTING', state: 'CONNECTED' });
  await world.pass(5000);
  assert.deepEqual([...server.said.get('anna').users].sort(), ['anna', 'bob']);
  assert.deepEqual(member.state.members[0].streams, [{ type: 'aux', video: true }, { type: 'main', audio: true }]);
  trtc.emit('kicked-out', { reason: 'banned' });
  await world.pass(1000);
  assert.deepEqual([member.state.phase, member.state.problem.detail], ['failed', 'banned']);
  assert.equal(server.said.get('anna').left, true);
  stop();
  assert.deepEqual(trtc.eventNames(), []);
});

test('trtc-wx-sdk: joining, users, players', async () => {
  const { world, server, member } = await connecting();
  const trtc = new EventEmitter();
  const names = ['LOCAL_JOIN', 'REMOTE_USER_JOIN', 'REMOTE_USER_LEAVE', 'REMOTE_VIDEO_ADD', 'REMOTE_VIDEO_REMOVE', 'REMOTE_AUDIO_ADD', 'REMOTE_AUDIO_REMOVE', 'KICKED_OUT'];
  const stop = watchTrtcWx(trtc, Object.fromEntries(names.map((name) => [name, name])), member);
  trtc.emit('LOCAL_JOIN', {});
  trtc.emit('REMOTE_USER_JOIN', { data: { userID: 'bob' } });
  trtc.emit('REMOTE_USER_JOIN', { data: { userID: 'carl' } });
  trtc.emit('REMOTE_VIDEO_ADD', { data: { player: { userID: 'bob', streamType: 'main', src: 'room://x' } } });
  trtc.emit('REMOTE_USER_LEAVE', { data: { userID: 'carl' } });
  await world.pass(5000);
  assert.deepEqual([...server.said.get('anna').users].sort(), ['anna', 'bob']);
  assert.deepEqual(member.state.members, [{ userid: 'bob', playurl: 'room://x', streams: [{ type: 'main', video: true, playurl: 'room://x' }] }]);
  trtc.emit('KICKED_OUT', {});
  assert.equal(member.state.phase, 'failed');
  stop();
  assert.deepEqual(trtc.eventNames(), []);
});

test('the own roster: asked for with the token, and again with its ETag', async () => {
  const { member, world } = await connecting();
  member.entered();
  await world.pass(100);
  assert.equal(await member.roster(), null);
  member.reporter.grant.rosterUrl = 'https://rooms.test/v1/rooms/self';
  const asked = [];
  const answers = [{ status: 200, headers: { etag: '"1"' }, body: { size: 2 } }, { status: 304, headers: {}, body: '' }];
  member.platform.send = async (request) => {
    asked.push(request.headers['If-None-Match']);
    return answers.shift();
  };
  assert.deepEqual([await member.roster(), await member.roster(), asked], [{ size: 2 }, { size: 2 }, [undefined, '"1"']]);
});
