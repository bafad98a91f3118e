'use strict';

// Calls of an hour in virtual time, as many as SEEDS says: what holds whatever the network does.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { World } = require('./support/world');
const { Server } = require('./support/server');
const { Call, BAD } = require('./support/call');
const { GOOD } = require('./support/phone');

const SEEDS = Number(process.env.SEEDS || 20);
const HOUR = 3600000;
const MINUTE = 60000;

/** What befalls one member in an hour. */
function live(world, participant, network) {
  const events = network === GOOD ? 3 : 6;
  const { member, phone } = participant;
  world.later(world.between(0, 5 * MINUTE), () => member.enter());
  for (let count = 0; count < events; count += 1) {
    world.later(world.between(6 * MINUTE, 54 * MINUTE), () => {
      const event = world.random();
      if (event < 0.4) participant.push(1021);
      else if (event < 0.6) {
        phone.hide();
        world.later(world.between(MINUTE, 4 * MINUTE), () => phone.show());
      } else if (event < 0.8 && network !== GOOD) {
        phone.setDown(true);
        world.later(world.between(2000, MINUTE), () => phone.setDown(false));
      } else if (event < 0.9) participant.push(-1307);
      else {
        participant.leave();
        world.later(world.between(5000, MINUTE), () => member.enter());
      }
    });
  }
}

async function hour(seed, network) {
  const world = new World(seed);
  const server = new Server(world, { pace: seed % 3 > 0, ttlMs: seed % 2 ? 20 * MINUTE : 24 * HOUR });
  const call = new Call(world, server);
  const size = 2 + Math.floor(world.random() * 3);
  for (let index = 0; index < size; index += 1) live(world, call.add(`user-${index}`, network), network);
  await world.pass(58 * MINUTE);
  for (const { phone } of call.participants) {
    phone.network = GOOD; // Two minutes of peace, so that what can be acknowledged is.
    if (phone.down) phone.setDown(false);
    if (phone.hidden) phone.show();
  }
  await world.pass(3 * MINUTE);
  return { world, server, call };
}

/** What must hold at the end of every call. */
function check({ server, call }, seed) {
  const statuses = new Set(server.log.map(({ status }) => status));
  statuses.delete(200);
  statuses.delete(401); // A token that ended while the app was hidden.
  statuses.delete(410); // A heartbeat that arrived after `left`.
  assert.deepEqual([...statuses], [], `seed ${seed}: refused requests`);
  for (const participant of call.participants) {
    const where = `seed ${seed}, ${participant.userid}`;
    assert.deepEqual(participant.faults, [], where);
    assert.ok(participant.phone.mostOpen <= 2, `${where}: one request at a time, and a last word`);
    assert.equal(participant.member.state.phase, 'inside', `${where}: ${JSON.stringify(participant.member.state.problem)}`);
    assert.equal(participant.member.reporter.unsent, null, `${where}: a list is not acknowledged`);
    const truth = [...call.present].map(({ userid }) => userid).sort();
    assert.deepEqual([...server.said.get(participant.userid).users].sort(), truth, where);
  }
}

test(`${SEEDS} calls on a bad network: every list is acknowledged or out of date`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) check(await hour(seed, BAD), seed);
});

test(`${SEEDS} calls on a good network: at most 1.2 reports for each change, and heartbeats at the server's pace`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const result = await hour(seed, GOOD);
    check(result, seed);
    for (const { userid, changes, phone } of result.call.participants) {
      const log = result.server.log.filter((request) => request.userid === userid);
      const reports = log.filter(({ kind }) => kind !== 'heartbeat').length;
      assert.ok(reports <= 1.2 * changes + 1, `seed ${seed}, ${userid}: ${reports} reports of ${changes} changes`);
      let free = 0; // Not before this moment may the next heartbeat be sent.
      for (const { at, body, answer } of phone.sent) {
        if (body.heartbeat) assert.ok(at >= free, `seed ${seed}, ${userid}: a heartbeat ${free - at} ms early`);
        if (answer) free = at + (answer.body.heartbeatAfterMs || 30000);
      }
    }
  }
});

test('after an outage of a minute in a room of 50, at most two requests a member in the first 5 s', async () => {
  for (let seed = 1; seed <= Math.max(1, SEEDS / 60); seed += 1) {
    const world = new World(seed);
    const server = new Server(world);
    const call = new Call(world, server);
    let out = false;
    const network = { ...GOOD, failing: () => out };
    for (let index = 0; index < 50; index += 1) {
      const { member } = call.add(`user-${index}`, network);
      world.later(world.between(0, 30000), () => member.enter());
    }
    await world.pass(5 * MINUTE);
    out = true;
    call.participants[0].member.leave();
    await world.pass(MINUTE);
    out = false;
    const ends = world.time;
    await world.pass(5 * MINUTE);
    for (const { userid, phone, member } of call.participants.slice(1)) {
      const soon = phone.sent.filter(({ at }) => at >= ends && at < ends + 5000).length;
      assert.ok(soon <= 2, `seed ${seed}, ${userid}: ${soon} requests`);
      assert.equal(member.reporter.unsent, null, userid);
      assert.equal(server.said.get(userid).users.length, 49);
    }
  }
});
