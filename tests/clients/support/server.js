'use strict';

// A server that holds its clients to the README's protocol, strictly. It keeps no roster: it knows
// what each member said last, and answers as Roomgate would in a room where everyone is believed.

const { createHash } = require('crypto');

const URL = 'https://rooms.test/v1/userlist-reports';
const LIST_MEMBERS = new Set(['seq', 'ageMs', 'userlist', 'left', 'resent']);
const USER = /^[A-Za-z0-9_-]{1,32}$/;

/** How the server names a set of userids. */
const hashOf = (users) =>
  createHash('sha256').update([...users].sort().join('\n')).digest('hex').slice(0, 16);

const problem = (status, code, headers = {}) => ({ status, headers, body: { status, code, detail: code } });
const isWhole = (value, most) => Number.isInteger(value) && value >= 0 && value <= most;

class Server {
  constructor(world, { ttlMs = 86400000, pace = true } = {}) {
    Object.assign(this, { world, ttlMs, pace });
    this.tokens = new Map();
    this.said = new Map(); // userid -> {epoch, seq, users, left}
    this.log = []; // Of each request: {at, userid, kind, status}
    this.epochs = 0;
    this.missed = new Set(); // Users who are to be asked for their list again.
    this.faults = []; // Answers in place of what would be: [{status, code, headers}].
  }

  /** As the issuer's POST /v1/entries answers. */
  entry(userid, roomId = 7) {
    this.epochs = Math.max(this.epochs + 1, Math.floor(this.world.time));
    const token = `test-token-${this.epochs}-${userid}`;
    const grant = { url: URL, token, epoch: this.epochs, expiresAt: Math.floor((this.epochs + this.ttlMs) / 1000) };
    this.tokens.set(token, { userid, grant, reports: new Map(), over: false });
    return {
      ...{ sdkAppId: 1400000001, userId: userid, roomId, rtcUrl: `room://cloud.tencent.com/rtc?at=${this.epochs}` },
      roomsigRequest: { method: 'POST', url: 'https://tencent.test/v4', headers: {}, body: { ReqHead: {} } },
      report: grant,
    };
  }

  receive({ url, headers, body }) {
    const stay = this.tokens.get((headers.Authorization || '').replace(/^Bearer /, ''));
    const kind = body.heartbeat ? 'heartbeat' : body.left ? 'left' : body.resent ? 'resent' : 'list';
    const answer = url === URL ? this.answer(stay, body) : problem(404, 'not-found');
    this.log.push({ at: this.world.time, userid: stay && stay.userid, kind, status: answer.status, body, answer });
    return answer;
  }

  answer(stay, body) {
    if (this.faults.length) return this.faults.shift();
    if (!stay) return problem(401, 'report-token-invalid');
    if (this.world.time / 1000 >= stay.grant.expiresAt) return problem(401, 'report-token-expired');
    if (stay.over && !body.left) return problem(410, 'stay-over');
    return body.heartbeat === undefined ? this.report(stay, body) : this.heartbeat(stay, body);
  }

  heartbeat(stay, body) {
    if (body.heartbeat !== true || !/^[0-9a-f]{16}$/.test(body.hash) || Object.keys(body).length !== 2) {
      return problem(400, 'invalid-request');
    }
    const said = this.said.get(stay.userid);
    const knows = said && said.epoch === stay.grant.epoch && said.hash === body.hash;
    const resend = !knows || this.missed.delete(stay.userid);
    return this.ok({ outcome: 'unchanged', version: 1, ...(resend ? { resend } : {}) });
  }

  report(stay, body) {
    if (Object.keys(body).some((name) => !LIST_MEMBERS.has(name))) return problem(400, 'invalid-request');
    if (!isWhole(body.seq, 2147483647) || !isWhole(body.ageMs === undefined ? 0 : body.ageMs, 86400000)) return problem(400, 'invalid-request');
    if ((body.userlist === undefined) === (body.left === undefined)) return problem(400, 'invalid-request');
    if (body.left === undefined && !this.isList(stay.userid, body.userlist)) return problem(400, 'invalid-request');
    const stated = JSON.stringify([body.userlist, body.left]);
    const before = stay.reports.get(body.seq);
    if (before !== undefined && before !== stated) return problem(409, 'report-conflict');
    const { epoch } = stay.grant;
    const said = this.said.get(stay.userid);
    const users = body.left ? [] : [stay.userid, ...body.userlist.map(({ userid }) => userid)];
    if (before === undefined) {
      stay.reports.set(body.seq, stated);
      if (!said || epoch > said.epoch || (epoch === said.epoch && body.seq > said.seq)) {
        const hash = hashOf(users);
        this.said.set(stay.userid, { epoch, seq: body.seq, users, hash, left: Boolean(body.left), at: this.world.time });
        if (body.left) stay.over = true;
      }
    }
    const more = body.left ? {} : { hash: hashOf(users), members: users.length };
    return this.ok({ outcome: before === undefined ? 'applied' : 'duplicate', epoch, seq: body.seq, version: 1, ...more });
  }

  isList(reporter, list) {
    if (!Array.isArray(list) || list.length > 5000) return false;
    const names = new Set(list.map(({ userid }) => userid));
    return names.size === list.length && !names.has(reporter) && [...names].every((name) => USER.test(name));
  }

  ok(body) {
    if (!this.pace) return { status: 200, headers: {}, body };
    const inside = [...this.said.values()].filter(({ left }) => !left).length;
    const whole = Math.min(180000, 20000 * Math.max(1, inside));
    const after = Math.max(20000, Math.floor(whole * this.world.between(0.8, 1.2)));
    return { status: 200, headers: {}, body: { ...body, heartbeatAfterMs: after } };
  }
}

module.exports = { Server, URL, hashOf, problem };
