'use strict';

const { Others } = require('./others');
const { Reporter, backoff } = require('./reporter');

const SETTLE_MS = 200; // From a change to its report, and up to as much again: changes come together.
const FIRST_MS = 1500; // After entering: the list of the others is about to come.
const STEADY_MS = 60000; // Who was inside for so long starts to count failures anew.
const TRIES = 8; // Failures before giving up, by weight.
const WEIGHTS = { lost: 1, ticket: 3, retry: 0.5 }; // Without an answer: some three minutes.
const RENEWABLE = new Set([70001, 86, 87]); // Tencent: userSig expired; privateMapKey expired, wrong.

/**
 * A member of a TRTC room: gets in, knows who else is there, and reports it to Roomgate.
 *
 * `getEntry({reason})` asks your backend for an entry; `getRoomUrl(answer)` brings it Tencent's answer
 * to the roomsig request (clients before WeChat 7.0.8, `flow: 'roomsig'`). Both return promises, which
 * reject with the backend's problem: {status, code, detail, tencentCode?, retryAfter?}.
 * `onChange(state)` is called whenever the state has changed.
 */
class Member {
  constructor({ platform, getEntry, getRoomUrl, flow = 'rtc', onChange = () => {} }) {
    Object.assign(this, { platform, getEntry, getRoomUrl, flow, onChange });
    this.others = new Others();
    this.state = { phase: 'idle', url: '', entry: null, members: [], problem: null };
    this.run = 0; // Counts the entries; what belongs to an older one is ignored.
    this.failures = 0;
  }

  /** Enter the room. `state.url` is for live-pusher, `state.entry` for the web SDK. */
  enter() {
    if (this.is('entering', 'connecting', 'inside')) return;
    this.failures = 0;
    if (!this.stopWatching) this.stopWatching = this.platform.watch(this);
    this.getIn('enter');
  }

  /** Leave on purpose. Resolves when the server knows it, or a minute later. */
  leave() {
    return this.goOut('left', null);
  }

  /** An event of live-pusher's bindstatechange, or its `detail`. */
  onPushEvent(event) {
    const { code, message } = event.detail || event;
    if (code === 1018) this.entered();
    else if (code === 1020) this.othersAre(usersIn(message));
    else if (code === 1021) this.networkChanged();
    else if (code === 1031) usersIn(message).forEach((user) => this.userEntered(user.userid, user.playurl));
    else if (code === 1032) usersIn(message).forEach((user) => this.userExited(user.userid));
    else if (code === 1033) this.streams(message, 'video');
    else if (code === 1034) this.streams(message, 'audio');
    else if (code === 1019 || code === 1022 || code === -1307) this.lost(code, message);
    else if (code === 5000) this.mustLeave();
    else if (code === -1301 || code === -1302) this.set({ problem: { code: `pusher${code}`, detail: message } });
  }

  /** The SDK is in the room. Alone, the member reports the empty list, so that the room is known. */
  entered() {
    if (!this.is('connecting')) return;
    this.insideSince = this.platform.now();
    this.reporter.use(this.state.entry.report);
    this.set({ phase: 'inside', problem: null });
    this.report(FIRST_MS);
  }

  /** The full list of the others: [{userid, playurl?}]. */
  othersAre(users) {
    this.change(() => this.others.replace(users));
  }

  userEntered(userid, playurl) {
    this.change(() => this.others.add(userid, playurl));
  }

  userExited(userid) {
    this.change(() => this.others.remove(userid));
  }

  /** A stream ('main' or 'aux') has changed: {video?, audio?, playurl?}. */
  streamChanged(userid, type, change) {
    this.change(() => this.others.stream(userid, type, change));
  }

  /** The network has changed (event 1021): a new entry, and a new epoch with it. */
  networkChanged() {
    if (this.is('connecting', 'inside')) this.getIn('network');
  }

  /** The SDK did not get in, or is out without having been told to: try again. */
  lost(code, detail) {
    if (!this.is('connecting', 'inside')) return;
    if (this.is('inside') && this.platform.now() - this.insideSince > STEADY_MS) this.failures = 0;
    this.again('lost', { code: `pusher${code}`, detail });
  }

  /** The system takes the app out of the room (event 5000: a phone call, say). `shown` enters again. */
  mustLeave() {
    if (this.is('entering', 'connecting', 'inside')) this.goOut('suspended', null);
  }

  /** The user was put out of the room: no way back but `enter`. */
  kickedOut(reason) {
    if (this.is('entering', 'connecting', 'inside')) this.goOut('failed', { code: 'kicked-out', detail: reason });
  }

  /** For the platform: the app or page shows again. */
  shown() {
    if (this.is('suspended') || this.pageWent) this.enter();
    else if (this.reporter) this.reporter.wake();
    this.pageWent = false;
  }

  /** For the platform: the network is back. */
  online() {
    if (this.is('entering') && this.retry) this.retry();
    if (this.reporter) this.reporter.wake(true);
  }

  /** For the platform: the page goes, perhaps for good. */
  pageGoes() {
    if (!this.is('entering', 'connecting', 'inside')) return;
    this.pageWent = true;
    if (this.reporter) this.reporter.leaveAtOnce();
    this.goOut('left', null);
  }

  /** The server's roster, where the entry names its address; else null. */
  roster() {
    return this.reporter ? this.reporter.roster() : Promise.resolve(null);
  }

  is(...phases) {
    return phases.includes(this.state.phase);
  }

  set(change) {
    this.state = { ...this.state, ...change };
    this.onChange(this.state);
  }

  change(apply) {
    if (!this.is('connecting', 'inside')) return;
    const before = JSON.stringify(this.others.userlist());
    apply();
    this.set({ members: this.others.members().filter(({ userid }) => userid !== this.state.entry.userId) });
    if (this.is('inside') && JSON.stringify(this.others.userlist()) !== before) this.report(SETTLE_MS);
  }

  report(settleMs) {
    const users = this.others.userlist(this.state.entry.userId);
    this.reporter.report(users, Math.round(settleMs * (1 + this.platform.random())));
  }

  streams(message, kind) {
    for (const user of usersIn(message)) {
      const change = { [kind]: Boolean(user[`has${kind}`]) };
      if (user.playurl) change.playurl = user.playurl;
      this.streamChanged(user.userid, user.streamtype || 'main', change);
    }
  }

  /** Ask for an entry and turn it into an address, as often as it takes. */
  async getIn(reason) {
    const run = ++this.run;
    if (this.reporter) this.reporter.pause();
    this.others = new Others();
    this.set({ phase: 'entering', url: '' });
    try {
      const entry = await this.getEntry({ reason });
      if (run !== this.run) return;
      const url = this.flow === 'roomsig' ? await this.roomUrl(entry, run) : entry.rtcUrl;
      if (run !== this.run) return;
      if (!this.reporter) this.reporter = this.newReporter(entry);
      this.set({ phase: 'connecting', entry, url });
    } catch (error) {
      if (run === this.run) this.entryFailed(error);
    }
  }

  /** Send the roomsig request, as Tencent's component does: three times, a second apart. */
  async roomUrl(entry, run) {
    const { method, url, headers, body } = entry.roomsigRequest;
    for (let left = 2; ; left -= 1) {
      let answer = {};
      try {
        answer = await this.platform.send({ method, url, headers, body, timeoutMs: 10000 });
        if (run !== this.run) return '';
        return (await this.getRoomUrl(answer.body)).roomUrl;
      } catch (error) {
        if (error.code === 'roomsig-refused') throw { tencentCode: tencentCodeIn(answer.body), ...error };
        if (left === 0) throw error;
        await new Promise((resolve) => this.platform.setTimeout(resolve, 1000));
        if (run !== this.run) return '';
      }
    }
  }

  entryFailed(error) {
    const { status, code = 'no-answer', detail = String(error.message || error), tencentCode } = error;
    const problem = { status, code, detail, tencentCode };
    const passes = !status || status >= 500 || status === 429 || RENEWABLE.has(tencentCode);
    if (passes) this.again(RENEWABLE.has(tencentCode) ? 'ticket' : 'retry', problem, error);
    else this.goOut('failed', problem);
  }

  again(reason, problem, error) {
    const demanded = error ? Number(error.retryAfter) * 1000 || 0 : 0;
    const wait = Math.max(backoff(this.failures, this.platform.random), demanded);
    this.failures += WEIGHTS[reason];
    if (this.failures >= TRIES) return void this.goOut('failed', problem);
    const run = ++this.run;
    if (this.reporter) this.reporter.pause();
    this.set({ phase: 'entering', url: '', problem });
    this.retry = () => run === this.run && this.getIn(reason);
    this.platform.setTimeout(this.retry, wait);
  }

  goOut(phase, problem) {
    this.run += 1;
    const left = this.reporter ? this.reporter.leave() : Promise.resolve();
    this.reporter = null;
    this.others = new Others();
    if (this.stopWatching && phase !== 'suspended' && !this.pageWent) this.stopWatching = void this.stopWatching();
    this.set({ phase, url: '', entry: null, members: [], problem });
    return left;
  }

  newReporter(entry) {
    const room = entry.roomId === undefined ? `s:${entry.strRoomId}` : entry.roomId;
    return new Reporter(this.platform, `roomgate:${entry.sdkAppId}:${room}:${entry.userId}`, {
      onToken: (reason) => this.newToken(reason),
      onAnswer: (answer) => answer.problem && this.set({ problem: answer.problem }),
      onEnd: (problem) => this.set({ problem }), // The call goes on, unreported.
    });
  }

  /** A new token only: the SDK stays in the room with the tickets that it has. */
  async newToken(reason) {
    const run = this.run;
    try {
      const { report } = await this.getEntry({ reason });
      if (run === this.run) this.reporter.use(report);
    } catch (error) {
      if (run === this.run) this.set({ problem: { code: 'no-new-token', detail: String(error.detail || error.message) } });
    }
  }
}

/** Tencent's code in its answer to the roomsig request, for a backend that does not pass it on. */
function tencentCodeIn({ RspHead, ErrorCode }) {
  return RspHead ? RspHead.ErrorCode : ErrorCode;
}

/** The users that an event's message names; none where it is no such message. */
function usersIn(message) {
  try {
    const { userlist } = typeof message === 'string' ? JSON.parse(message) : message;
    return userlist.filter((user) => user && typeof user.userid === 'string');
  } catch (error) {
    return [];
  }
}

module.exports = { Member };
