'use strict';

// The mini-program's component as WeChat's simulator renders it, on a server that is a stand-in.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const path = require('path');
const { JSDOM } = require('jsdom');

const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://127.0.0.1/', pretendToBeVisual: true });
for (const name of ['window', 'document', 'Event', 'CustomEvent', 'HTMLElement', 'Node', 'MutationObserver', 'TouchEvent']) {
  global[name] = name === 'window' ? window : window[name];
}
const simulate = require('miniprogram-simulate');
const { World } = require('../support/world');
const { Server } = require('../support/server');

const clients = path.resolve(__dirname, '../../../clients');
const world = new World(1);
const server = new Server(world);
const listeners = {};
const requests = [];

/** wx, as far as the component uses it: requests reach the stand-in, storage is a map. */
function standIn() {
  const stored = new Map();
  return {
    getAppBaseInfo: () => ({ language: 'en' }),
    getPerformance: () => ({ now: () => Date.now() + 0.25 }),
    getStorageSync: (key) => stored.get(key) || '',
    setStorageSync: (key, value) => stored.set(key, value),
    onAppShow: (run) => (listeners.show = run),
    offAppShow: () => delete listeners.show,
    onNetworkStatusChange: (run) => (listeners.network = run),
    offNetworkStatusChange: () => delete listeners.network,
    request({ url, header, data, success }) {
      requests.push(data);
      const answer = server.receive({ url, headers: header, body: JSON.parse(JSON.stringify(data)) });
      setImmediate(() => success({ statusCode: answer.status, header: answer.headers, data: answer.body }));
      return { abort() {} };
    },
  };
}

Object.assign(global.wx, standIn());

const id = simulate.load(path.join(clients, 'miniprogram/room/index'), { rootPath: path.join(clients, 'miniprogram'), less: false });
const event = (code, names) => ({ detail: { code, message: names && JSON.stringify({ userlist: names.map((userid) => ({ userid, playurl: `room://x?userid=${userid}` })) }) } });
const ticks = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Wait until something holds; what does not within 5 s fails the test. */
async function until(holds, what) {
  for (let tries = 0; tries < 250; tries += 1) {
    if (holds()) return;
    await ticks();
  }
  assert.fail(what);
}

function render(properties = {}) {
  const component = simulate.render(id, properties);
  const parent = window.document.createElement('div');
  component.attach(parent);
  return component;
}

const text = (component) => component.dom.textContent;

test('enters, shows one live-player a member, says who is there, and reports it', async () => {
  const room = render();
  const states = [];
  room.addEventListener('change', ({ detail: { phase } }) => states[states.length - 1] === phase || states.push(phase));
  room.instance.enter({ getEntry: async () => server.entry('anna') });
  await until(() => room.data.url, 'a URL for live-pusher');
  assert.equal(room.querySelectorAll('.mine .video').length, 1);
  room.instance.onPushEvent(event(1018));
  assert.match(text(room), /You are the only one here/);
  room.instance.onPushEvent(event(1020, ['bob', 'carl']));
  assert.equal(room.querySelectorAll('.tile').length, 3);
  assert.deepEqual(room.data.players.map(({ src }) => src), ['room://x?userid=bob', 'room://x?userid=carl']);
  assert.match(text(room), /3 people are in the room/);
  await until(() => server.said.get('anna'), 'a report');
  assert.deepEqual([...server.said.get('anna').users].sort(), ['anna', 'bob', 'carl']);
  assert.deepEqual(states, ['entering', 'connecting', 'inside']);
  room.detach();
  await until(() => server.said.get('anna').left, 'the word that she left');
  assert.deepEqual(listeners, {});
});

test('an error can be read in English and in Chinese, and tried again', async () => {
  for (const [language, words] of [['en', /You may not enter this room \(room-not-allowed\)/], ['zh_CN', /您不能进入此房间/]]) {
    const room = render({ language });
    let asked = 0;
    room.instance.enter({
      getEntry: async () => {
        asked += 1;
        throw { status: 403, code: 'room-not-allowed', detail: 'no' };
      },
    });
    await until(() => room.data.failed, 'a failure');
    assert.match(text(room), words);
    room.querySelector('.again').dispatchEvent('tap');
    await until(() => asked === 2, 'a second try');
    room.detach();
  }
});

test('every phase and every problem has both languages', () => {
  const { textsOf, PHASES, PROBLEMS } = require(path.join(clients, 'miniprogram/room/texts'));
  for (const pair of [...Object.values(PHASES), ...Object.values(PROBLEMS)]) assert.equal(pair.length, 2);
  const state = { phase: 'inside', members: [{}], problem: { code: 'never-heard-of' } };
  assert.match(textsOf(state, 'en').problem, /Something went wrong \(never-heard-of\)/);
  assert.match(textsOf(state, 'zh').status, /共 2 人/);
});

test('a network switch gives live-pusher no address, then a new one', async () => {
  const room = render();
  room.instance.enter({ getEntry: async () => server.entry('dora') });
  await until(() => room.data.url, 'a URL');
  room.instance.onPushEvent(event(1018));
  const { url } = room.data;
  room.instance.onPushEvent(event(1021));
  assert.equal(room.data.url, '');
  assert.equal(room.querySelectorAll('.mine .video').length, 0);
  await until(() => room.data.url, 'a new URL');
  assert.notEqual(room.data.url, url);
  room.detach();
});
