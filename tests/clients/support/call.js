'use strict';

// A call in a world: who is truly in the room, and what each member's SDK makes of it.

const { Member } = require('../../../clients/member');
const { Phone } = require('./phone');

const BAD = { lost: 0.3, late: 0.05, twice: 0.1 };

class Participant {
  constructor(call, userid, network) {
    Object.assign(this, { call, userid, inRoom: false, faults: [] });
    const { world, server } = call;
    this.phone = new Phone(world, server, network);
    this.deltas = world.chance(0.5); // A current client, which gets events 1031 and 1032.
    this.changes = 0; // What is to be reported: lists, a word of leaving, a list under a new token.
    this.url = '';
    const send = this.phone.platform.send;
    this.phone.platform.send = (request) => {
      this.check(request.body);
      return send(request);
    };
    this.member = new Member({
      platform: this.phone.platform,
      getEntry: ({ reason }) => this.getEntry(reason),
      onChange: ({ url }) => this.urlIs(url),
    });
  }

  getEntry(reason) {
    if (reason === 'expiring' || reason === 'refused') this.changes += 1;
    const { world, server } = this.call;
    return new Promise((resolve, reject) => {
      const lost = this.phone.down || world.chance(this.phone.network.lost);
      world.later(world.between(50, 400), () =>
        this.phone.whenShown(() => (lost ? reject(new Error('no network')) : resolve(server.entry(this.userid, this.call.roomId)))));
    });
  }

  /** The component hands a new address to live-pusher, which enters, or leaves where it is empty. */
  urlIs(url) {
    if (url === this.url) return;
    const { world } = this.call;
    this.url = url;
    if (this.inRoom) this.call.exits(this);
    if (!url) return;
    world.later(world.between(300, 1500), () => {
      if (this.url !== url) return;
      if (this.phone.down) return void this.push(1022);
      this.call.enters(this);
      this.push(1018);
      const others = this.call.others(this);
      world.later(world.between(50, 800), () => this.url === url && this.sees(others, []));
    });
  }

  leave() {
    if (this.inRoom) this.changes += 1;
    if (this.counted) this.call.transitions += 1;
    this.counted = false;
    this.member.leave();
  }

  push(code, userlist = []) {
    const message = JSON.stringify({ userlist });
    this.phone.whenShown(() => this.member.onPushEvent({ detail: { code, message } }));
  }

  /** The SDK's view has become this one. */
  sees(users, gone) {
    this.changes += 1;
    const list = users.map((userid) => ({ userid, playurl: `room://198.51.100.7/webrtc/1400000001_7_${userid}` }));
    if (!this.deltas) return this.push(1020, list);
    this.push(1032, gone.map((userid) => ({ userid })));
    this.push(1031, list);
  }

  /** What no request may be, whatever the network does. */
  check(body) {
    if (!body.heartbeat) return;
    const { reporter } = this.member;
    if (reporter.unsent) this.faults.push('a heartbeat while a list is unacknowledged');
  }
}

class Call {
  constructor(world, server, roomId = 7) {
    Object.assign(this, { world, server, roomId, present: new Set(), participants: [] });
    this.transitions = 0; // True ones: a re-entry within a stay is none.
  }

  add(userid, network) {
    const participant = new Participant(this, userid, network);
    this.participants.push(participant);
    return participant;
  }

  others(participant) {
    return [...this.present].filter((other) => other !== participant).map(({ userid }) => userid);
  }

  enters(participant) {
    participant.inRoom = true;
    if (!participant.counted) this.transitions += 1;
    participant.counted = true;
    this.present.add(participant);
    this.everyoneElseSees(participant, []);
  }

  exits(participant) {
    participant.inRoom = false;
    this.present.delete(participant);
    this.everyoneElseSees(participant, [participant.userid]);
  }

  everyoneElseSees(participant, gone) {
    for (const other of this.present) {
      if (other === participant) continue;
      const stay = other.url;
      this.world.later(this.world.between(50, 500), () => other.url === stay && other.sees(this.others(other), gone));
    }
  }
}

module.exports = { Call, BAD };
