'use strict';

// Calls in real time over HTTP: members of the library on phones whose network is bad, against a
// deployed Roomgate. Reads on standard input {issuer, rooms, apiKey, sdkAppId, sizes, firstRoom,
// seconds, lost, seed}; prints as JSON what is true, after how many seconds each roster says
// so (null: not within a minute), and which lists are not acknowledged after a good minute.

const fs = require('fs');
const { performance } = require('perf_hooks');
const { randomOf } = require('./world');
const { Call } = require('./call');

/** The real clock, with the chances of a seed. */
class RealWorld {
  constructor(seed) {
    this.random = randomOf(seed);
  }

  get time() {
    return 1600000000000 + performance.now();
  }

  later(ms, run) {
    return setTimeout(run, ms);
  }

  cancel(timer) {
    clearTimeout(timer);
  }

  between(low, high) {
    return low + this.random() * (high - low);
  }

  chance(part) {
    return this.random() < part;
  }
}

/** The deployed functions: the issuer by an API key, as a backend asks it, and the report route. */
class Deployed {
  constructor({ issuer, rooms, apiKey, sdkAppId }) {
    Object.assign(this, { issuer, rooms, apiKey, sdkAppId, statuses: {} });
  }

  async entry(userId, roomId) {
    const response = await fetch(`${this.issuer}/v1/entries`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${this.apiKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ sdkAppId: this.sdkAppId, userId, roomId, privateMapKeyTtl: 60 }),
    });
    if (!response.ok) throw { status: response.status, ...(await response.json()) };
    return response.json();
  }

  async roster(roomId) {
    const headers = { Authorization: `Bearer ${this.apiKey}` };
    const response = await fetch(`${this.rooms}/v1/apps/${this.sdkAppId}/rooms/${roomId}`, { headers });
    const answer = await response.json();
    if (!response.ok) throw new Error(`room ${roomId}: ${response.status} ${JSON.stringify(answer)}`);
    return answer.members.map(({ userId }) => userId).sort();
  }

  async receive({ url, headers, body }) {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    this.statuses[response.status] = (this.statuses[response.status] || 0) + 1;
    const answer = await response.json();
    return { status: response.status, headers: { 'retry-after': response.headers.get('retry-after') }, body: answer };
  }
}

/** One member's call: it enters, one thing befalls it, and some leave before the end. */
function live(world, participant, index, { ms }) {
  const { member, phone } = participant;
  world.later(world.between(0, ms / 10), () => member.enter());
  world.later(world.between(ms * 0.3, ms * 0.6), () => {
    const event = index % 4;
    if (event === 0) participant.push(1021);
    if (event === 1) {
      phone.hide();
      world.later(ms / 8, () => phone.show());
    }
    if (event === 2) {
      phone.setDown(true);
      world.later(ms / 10, () => phone.setDown(false));
    }
  });
  if (index % 4 === 3) world.later(world.between(ms * 0.65, ms * 0.9), () => participant.leave());
}

async function main() {
  const settings = JSON.parse(fs.readFileSync(0, 'utf8'));
  const world = new RealWorld(settings.seed);
  const deployed = new Deployed(settings);
  const ms = settings.seconds * 1000;
  const network = { lost: settings.lost, late: settings.lost / 6, twice: settings.lost / 3 };
  const calls = settings.sizes.map((size, number) => {
    const call = new Call(world, deployed, settings.firstRoom + number);
    for (let index = 0; index < size; index += 1) live(world, call.add(`user-${number}-${index}`, network), number + index, { ms });
    return call;
  });
  const sleep = (wait) => new Promise((resolve) => setTimeout(resolve, wait));
  await sleep(ms);
  const rooms = calls.map(({ roomId, present, transitions }) => {
    const truth = [...present].map(({ userid }) => userid).sort();
    return { roomId, transitions, truth, roster: [], rightAfter: null };
  });
  const ended = performance.now();
  for (let round = 0; round < 60 && rooms.some(({ rightAfter }) => rightAfter === null); round += 1) {
    for (const room of rooms) { // One by one, so that reading is no storm.
      room.roster = await deployed.roster(room.roomId);
      const right = String(room.roster) === String(room.truth);
      if (!right) room.rightAfter = null;
      else if (room.rightAfter === null) room.rightAfter = Math.round((performance.now() - ended) / 1000);
    }
    await sleep(1000);
  }
  const everyone = calls.flatMap(({ participants }) => participants);
  for (const { phone } of everyone) Object.assign(phone.network, { lost: 0, late: 0, twice: 0 });
  const open = ({ member }) => member.reporter && member.reporter.unsent;
  for (let seconds = 0; seconds < 60 && everyone.some(open); seconds += 1) await sleep(1000);
  const unsent = everyone.filter(open).map(({ userid }) => userid);
  const faults = everyone.flatMap((participant) => participant.faults);
  const requests = everyone.map(({ phone }) => phone.sent.length);
  console.log(JSON.stringify({ rooms, unsent, faults, statuses: deployed.statuses, requests: requests.reduce((sum, each) => sum + each, 0) }));
  process.exit(0); // The members go on for as long as anyone waits.
}

main();
