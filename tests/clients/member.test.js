'use strict';

// What the member does with each event and each answer. Time is virtual: see support/world.js.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { Member } = require('../../clients/member');
const { World } = require('./support/world');
const { Server, hashOf, problem } = require('./support/server');
const { Phone } = require('./support/phone');

/** A member of room 7 with a phone of its own, and the states that it went through. */
function setting(options = {}) {
  const world = new World(options.seed || 1);
  const server = new Server(world, options.server);
  const phone = new Phone(world, server, options.network);
  const asked = [];
  const phases = [];
  const member = new Member({
    platform: phone.platform,
    getEntry: async ({ reason }) => {
      asked.push(reason);
      return server.entry('anna');
    },
    onChange: ({ phase }) => phases[phases.length - 1] === phase || phases.push(phase),
    ...options.member,
  });
  return { world, server, phone, member, asked, phases };
}

const userlist = (...names) => ({ detail: { code: 1020, message: JSON.stringify({ userlist: names.map((userid) => ({ userid })) }) } });
const event = (code, message = '') => ({ detail: { code, message } });
const kinds = (server) => server.log.map(({ kind, status }) => `${kind} ${status}`);

/** Anna is inside, alone, and has said so. */
async function inside(options) {
  const all = setting(options);
  all.member.enter();
  await all.world.pass(100);
  all.member.onPushEvent(event(1018));
  await all.world.pass(5000);
  return all;
}

test('enters with the rtcUrl and reports the list that event 1020 brings', async () => {
  const { world, server, member, phases } = setting();
  member.enter();
  await world.pass(100);
  assert.match(member.state.url, /^room:\/\/cloud.tencent.com\/rtc/);
  member.onPushEvent(event(1018));
  await world.pass(300);
  member.onPushEvent(userlist('bob', 'carl'));
  await world.pass(2000);
  assert.deepEqual(phases, ['entering', 'connecting', 'inside']);
  assert.deepEqual(kinds(server), ['list 200']);
  assert.deepEqual(server.said.get('anna').users.sort(), ['anna', 'bob', 'carl']);
  assert.deepEqual(member.state.members.map(({ userid }) => userid), ['bob', 'carl']);
});

test('alone after 1018, reports the empty list, so that the room is known', async () => {
  const { server } = await inside();
  assert.deepEqual(server.log.map(({ body }) => body.userlist), [[]]);
});

test('ages are whole, not negative, and by the monotonic clock', async () => {
  const { world, server, phone, member } = await inside();
  const real = phone.platform.now;
  phone.platform.now = () => real() - 1e9; // A clock that is set back.
  member.onPushEvent(userlist('bob'));
  await world.pass(2000);
  const { ageMs } = server.log[1].body;
  assert.ok(Number.isInteger(ageMs) && ageMs >= 0, String(ageMs));
});

test('a list that was retried says how old it is by then', async () => {
  const { world, server, phone, member } = await inside();
  phone.setDown(true);
  member.onPushEvent(userlist('bob'));
  await world.pass(20000);
  phone.setDown(false);
  await world.pass(5000);
  const { ageMs } = server.log[1].body;
  assert.ok(ageMs >= 19000 && ageMs <= 26000, String(ageMs));
});

test('the newest list wins: an unacknowledged older one is not sent again, and each has its own seq', async () => {
  const { world, server, phone, member } = await inside();
  phone.setDown(true);
  member.onPushEvent(userlist('bob'));
  await world.pass(3000);
  member.onPushEvent(userlist('bob', 'carl'));
  await world.pass(1000);
  phone.setDown(false);
  await world.pass(40000);
  const seqs = phone.sent.filter(({ body }) => body.userlist).map(({ body }) => [body.seq, body.userlist.length]);
  assert.deepEqual(new Set(seqs.map(String)), new Set(['0,0', '1,1', '2,2']));
  assert.deepEqual(kinds(server).slice(0, 2), ['list 200', 'list 200']);
  assert.equal(server.said.get('anna').seq, 2);
});

test('a playurl that comes later is a new list with the next seq, no conflict', async () => {
  const { world, server, member } = await inside();
  member.onPushEvent(event(1031, '{"userlist":[{"userid":"bob"}]}'));
  await world.pass(2000);
  member.onPushEvent(event(1033, '{"userlist":[{"userid":"bob","streamtype":"main","hasvideo":true,"playurl":"room://x"}]}'));
  await world.pass(2000);
  assert.deepEqual(server.log.map(({ status, body }) => [status, body.seq]), [[200, 0], [200, 1], [200, 2]]);
  assert.deepEqual(server.log[2].body.userlist, [{ userid: 'bob', playurl: 'room://x' }]);
  assert.deepEqual(member.state.members[0].streams, [{ type: 'main', video: true, playurl: 'room://x' }]);
});

test('deltas (1031, 1032) and streams (1033, 1034) keep the list', async () => {
  const { world, server, member } = await inside();
  member.onPushEvent(event(1031, '{"userlist":[{"userid":"bob"},{"userid":"carl"}]}'));
  member.onPushEvent(event(1034, '{"userlist":[{"userid":"bob","hasaudio":true}]}'));
  member.onPushEvent(event(1032, '{"userlist":[{"userid":"carl"}]}'));
  await world.pass(2000);
  assert.deepEqual(member.state.members.map(({ userid, streams }) => [userid, streams]), [['bob', [{ type: 'main', audio: true }]]]);
  assert.deepEqual(server.said.get('anna').users.sort(), ['anna', 'bob']);
});

test('a list never names its reporter', async () => {
  const { world, server, member } = await inside();
  member.onPushEvent(userlist('anna', 'bob'));
  await world.pass(2000);
  assert.deepEqual(server.log[1].body.userlist, [{ userid: 'bob' }]);
  assert.deepEqual(member.state.members.map(({ userid }) => userid), ['bob']);
});

test('an event that cannot be read changes nothing', async () => {
  const { world, server, member } = await inside();
  for (const message of ['{', 'null', '{"userlist":3}', '[]', undefined]) member.onPushEvent(event(1031, message));
  await world.pass(2000);
  assert.equal(server.log.length, 1);
});

test('heartbeats go at the pace that the server answers, with the hash of the newest list', async () => {
  const { world, server } = await inside();
  await world.pass(120000);
  const beats = server.log.filter(({ kind }) => kind === 'heartbeat');
  assert.ok(beats.length >= 4 && beats.length <= 6, String(beats.length));
  assert.deepEqual(new Set(beats.map(({ body }) => body.hash)), new Set([hashOf(['anna'])]));
  for (const [index, beat] of server.log.slice(1).entries()) {
    assert.ok(beat.at - server.log[index].at >= server.log[index].answer.body.heartbeatAfterMs);
  }
});

test('without a pace it keeps to 30 s', async () => {
  const { world, server } = await inside({ server: { pace: false } });
  await world.pass(301000);
  const times = server.log.map(({ at }) => at);
  assert.equal(times.length, 11);
  for (const [index, at] of times.slice(1).entries()) assert.ok(Math.abs(at - times[index] - 30000) < 500);
});

test('never a heartbeat while a list is unacknowledged', async () => {
  const { world, server, phone, member } = await inside();
  server.faults.push(...Array(6).fill(problem(503, 'store-unavailable')));
  member.onPushEvent(userlist('bob'));
  await world.pass(150000);
  const sent = phone.sent.map(({ body }) => (body.heartbeat ? 'heartbeat' : body.seq));
  assert.deepEqual(sent.slice(0, 8), [0, 1, 1, 1, 1, 1, 1, 1]);
  assert.equal(sent[8], 'heartbeat');
});

test('resend: the list as it is now, marked, with the next seq; not over and over', async () => {
  const { world, server } = await inside();
  server.missed.add('anna');
  await world.pass(60000);
  const resent = server.log.filter(({ kind }) => kind === 'resent');
  assert.deepEqual(resent.map(({ body }) => body), [{ seq: 1, ageMs: 0, userlist: [], resent: true }]);
  server.faults.push(...Array(20).fill({ status: 200, headers: {}, body: { outcome: 'unchanged', version: 1, resend: true, hash: hashOf(['anna']) } }));
  const before = server.log.length;
  await world.pass(60000);
  assert.ok(server.log.length - before <= 8, String(server.log.length - before));
});

test('a token that ends is renewed in time: a new epoch, seq from 0, the list as it is now', async () => {
  const { world, server, asked } = await inside({ server: { ttlMs: 600000 } });
  await world.pass(3600000);
  assert.ok(asked.length >= 6 && asked.length <= 9, String(asked));
  assert.deepEqual(new Set(asked), new Set(['enter', 'expiring']));
  assert.deepEqual(new Set(server.log.map(({ status }) => status)), new Set([200]));
  const resent = server.log.filter(({ kind }) => kind === 'resent');
  assert.deepEqual(new Set(resent.map(({ body }) => body.seq)), new Set([0]));
});

test('401: a new token, then the list that was not acknowledged', async () => {
  const { world, server, member, asked } = await inside();
  server.faults.push(problem(401, 'report-token-expired'));
  member.onPushEvent(userlist('bob'));
  await world.pass(5000);
  assert.deepEqual(asked, ['enter', 'refused']);
  assert.deepEqual(kinds(server), ['list 200', 'list 401', 'list 200']);
  assert.equal(server.log[2].body.seq, 0);
});

test('401, 409 and 410 in a row: two new tokens, then no reports; the call goes on', async () => {
  for (const status of [401, 409, 410]) {
    const { world, server, phone, member, asked } = await inside();
    server.faults.push(...Array(9).fill(problem(status, 'test-problem')));
    member.onPushEvent(userlist('bob'));
    await world.pass(600000);
    assert.deepEqual(asked, ['enter', 'refused', 'refused']);
    assert.equal(phone.sent.length, 4);
    assert.equal(member.state.phase, 'inside');
    assert.equal(member.state.problem.code, 'test-problem');
  }
});

test('409 once: a new epoch, in which the list counts', async () => {
  const { world, server, member, asked } = await inside();
  server.faults.push(problem(409, 'report-conflict'));
  member.onPushEvent(userlist('bob'));
  await world.pass(5000);
  assert.deepEqual(asked, ['enter', 'refused']);
  assert.deepEqual(server.said.get('anna').users.sort(), ['anna', 'bob']);
});

test('400 and 413: the list is not sent again and no heartbeat vouches for it; the next list is', async () => {
  for (const [status, code] of [[400, 'invalid-request'], [413, 'list-too-large']]) {
    const { world, server, phone, member } = await inside();
    server.faults.push(problem(status, code));
    member.onPushEvent(userlist('bob'));
    await world.pass(300000);
    assert.equal(phone.sent.length, 2);
    assert.equal(member.state.problem.code, code);
    member.onPushEvent(userlist('carl'));
    await world.pass(2000);
    assert.deepEqual(server.said.get('anna').users.sort(), ['anna', 'carl']);
  }
});

test('429: not before Retry-After, also when the app shows or the network comes back', async () => {
  const { world, server, phone, member } = await inside();
  server.faults.push(problem(429, 'rate-limited', { 'retry-after': '20' }));
  member.onPushEvent(userlist('bob'));
  await world.pass(3000);
  member.shown();
  member.online();
  await world.pass(60000);
  const [, refused, again] = phone.sent;
  assert.ok(again.at - refused.at >= 20000 && again.at - refused.at < 23000, String(again.at - refused.at));
  assert.equal(again.body.seq, refused.body.seq);
});

test('404: reports end, with what the server says', async () => {
  const { world, server, phone, member } = await inside();
  server.faults.push(problem(404, 'not-found'));
  member.onPushEvent(userlist('bob'));
  await world.pass(300000);
  assert.equal(phone.sent.length, 2);
  assert.deepEqual([member.state.phase, member.state.problem.code], ['inside', 'not-found']);
});

test('1021: a new entry and a new epoch, and no `left` in between', async () => {
  const { world, server, member, asked, phases } = await inside();
  member.onPushEvent(userlist('bob'));
  await world.pass(2000);
  const { url } = member.state;
  member.onPushEvent(event(1021));
  assert.equal(member.state.url, '');
  await world.pass(500);
  assert.notEqual(member.state.url, url);
  member.onPushEvent(event(1018));
  await world.pass(400);
  member.onPushEvent(userlist('bob'));
  await world.pass(3000);
  assert.deepEqual(asked, ['enter', 'network']);
  assert.deepEqual(phases.slice(2), ['inside', 'entering', 'connecting', 'inside']);
  assert.deepEqual(kinds(server), ['list 200', 'list 200', 'list 200']);
  assert.deepEqual(server.log[2].body.seq, 0);
  assert.deepEqual(server.log[2].body.userlist, [{ userid: 'bob' }]);
});

test('1019, 1022 and -1307: in again with a new entry, and given up when that never helps', async () => {
  for (const code of [1019, 1022, -1307]) {
    const { world, member, asked } = await inside();
    for (let tries = 0; tries < 12; tries += 1) {
      member.onPushEvent(event(code, 'test'));
      await world.pass(40000);
    }
    assert.equal(asked.length, 8);
    assert.deepEqual([member.state.phase, member.state.problem.code], ['failed', `pusher${code}`]);
  }
});

test('5000: out with `left`, and in again when the app shows', async () => {
  const { world, server, member, asked } = await inside();
  member.onPushEvent(event(5000));
  await world.pass(3000);
  assert.equal(member.state.phase, 'suspended');
  assert.equal(server.said.get('anna').left, true);
  member.shown();
  await world.pass(500);
  assert.deepEqual([member.state.phase, asked.length], ['connecting', 2]);
});

test('leaving on purpose is retried until it is acknowledged, and ends the heartbeats', async () => {
  const { world, server, phone, member } = await inside();
  phone.setDown(true);
  let known = false;
  member.leave().then(() => (known = true));
  await world.pass(10000);
  assert.deepEqual([member.state.phase, known], ['left', false]);
  phone.setDown(false);
  await world.pass(30000);
  assert.deepEqual([known, server.said.get('anna').left], [true, true]);
  const { length } = phone.sent;
  await world.pass(600000);
  assert.equal(phone.sent.length, length);
});

test('leaving without a network is given up within two minutes', async () => {
  const { world, phone, member } = await inside();
  phone.setDown(true);
  let over = false;
  member.leave().then(() => (over = true));
  await world.pass(120000);
  assert.equal(over, true);
});

test('the page goes: one last word at once; it enters anew if it comes back', async () => {
  const { world, server, phone, member, asked } = await inside();
  member.pageGoes();
  assert.equal(phone.sent[1].last, true);
  await world.pass(1000);
  assert.equal(server.said.get('anna').left, true);
  phone.member.shown();
  await world.pass(500);
  assert.deepEqual([member.state.phase, asked.length], ['connecting', 2]);
});

test('survives being hidden for minutes: what is due goes out when it shows', async () => {
  const { world, server, phone } = await inside();
  phone.hide();
  await world.pass(600000);
  const before = server.log.length;
  phone.show();
  await world.pass(1000);
  assert.deepEqual(server.log.slice(before).map(({ kind, status }) => [kind, status]), [['heartbeat', 200]]);
});

test('seq goes on within an epoch, also with a stored entry after a reload', async () => {
  const { world, server, phone, member } = await inside();
  const { entry } = member.state;
  const again = new Member({ platform: phone.platform, getEntry: async () => entry });
  member.reporter.stop();
  again.enter();
  await world.pass(100);
  again.onPushEvent(event(1018));
  again.onPushEvent(userlist('bob'));
  await world.pass(5000);
  assert.deepEqual(server.log.map(({ status, body }) => [status, body.seq]), [[200, 0], [200, 1]]);
});

/** A member of the roomsig flow, whose backend answers what it is told to. */
function roomsig(answers) {
  const sent = [];
  const all = setting({
    member: {
      flow: 'roomsig',
      getRoomUrl: async (answer) => {
        sent.push(answer);
        const next = answers.shift();
        if (next.code) throw next;
        return next;
      },
    },
  });
  all.server.receive = (request) => ({ status: 200, headers: {}, body: { from: request.url } });
  all.member.enter();
  return { ...all, sent };
}

test('roomsig: sends the request itself and brings the answer to its backend', async () => {
  const { world, member, sent } = roomsig([{ roomUrl: 'room://cloud.tencent.com?roomsig=x' }]);
  await world.pass(2000);
  assert.deepEqual(sent, [{ from: 'https://tencent.test/v4' }]);
  assert.deepEqual([member.state.phase, member.state.url], ['connecting', 'room://cloud.tencent.com?roomsig=x']);
});

test('roomsig: 70001, 86 and 87 take a new entry; other codes give up with the explained problem', async () => {
  for (const tencentCode of [70001, 86, 87]) {
    const refused = { status: 422, code: 'roomsig-refused', detail: 'expired', tencentCode };
    const { world, member, asked } = roomsig([refused, { roomUrl: 'room://x' }]);
    await world.pass(10000);
    assert.deepEqual([member.state.phase, asked], ['connecting', ['enter', 'ticket']]);
  }
  const { world, member, asked } = roomsig([{ status: 422, code: 'roomsig-refused', detail: 'no package', tencentCode: 88 }]);
  await world.pass(10000);
  assert.deepEqual([member.state.phase, asked], ['failed', ['enter']]);
  assert.deepEqual(member.state.problem, { status: 422, code: 'roomsig-refused', detail: 'no package', tencentCode: 88 });
});

test('roomsig: a ticket that is refused again and again is given up after three entries', async () => {
  const refused = { status: 422, code: 'roomsig-refused', detail: 'wrong', tencentCode: 87 };
  const { world, member, asked } = roomsig(Array(9).fill(refused));
  await world.pass(120000);
  assert.deepEqual([member.state.phase, asked.length], ['failed', 3]);
});

test('roomsig: an answer without a roomsig is asked for three times, a second apart', async () => {
  const unusable = { status: 422, code: 'roomsig-unusable', detail: 'empty' };
  const { world, phone, member } = roomsig(Array(3).fill(unusable));
  await world.pass(10000);
  assert.equal(phone.sent.length, 3);
  assert.deepEqual([member.state.phase, member.state.problem.code], ['failed', 'roomsig-unusable']);
});

test('an entry that the backend refuses is explained; one that it cannot give now is asked for again', async () => {
  const answers = [new Error('no network'), { status: 503, code: 'not-ready' }, { status: 403, code: 'room-not-allowed', detail: 'no' }];
  const { world, member } = setting({ member: { getEntry: async () => Promise.reject(answers.shift()) } });
  member.enter();
  await world.pass(10000);
  assert.equal(answers.length, 0);
  assert.deepEqual([member.state.phase, member.state.problem.code], ['failed', 'room-not-allowed']);
});

test('leaving while an entry is on its way stays left', async () => {
  const { world, server, member } = setting();
  member.enter();
  member.leave();
  await world.pass(60000);
  assert.deepEqual([member.state.phase, server.log.length], ['left', 0]);
});
