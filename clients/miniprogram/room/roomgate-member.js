// Made of clients/member/lib by clients/member/build.js: change it there.
'use strict';

/** Who else is in the room, and what they send, by what the SDK's events say. */
class Others {
  constructor() {
    this.users = new Map(); // userid -> {playurl, streams: {main: {…}, aux: {…}}}
  }

  /** The full list (event 1020): who is not in it has gone. Streams of the others are kept. */
  replace(list) {
    const before = this.users;
    this.users = new Map();
    for (const { userid, playurl } of list) {
      const user = before.get(userid) || { streams: {} };
      this.users.set(userid, { ...user, playurl: playurl || user.playurl });
    }
  }

  /** A user has come (event 1031), or is heard of for the first time. */
  add(userid, playurl) {
    const user = this.users.get(userid) || { streams: {} };
    this.users.set(userid, { ...user, playurl: playurl || user.playurl });
  }

  /** A user has gone (event 1032). */
  remove(userid) {
    this.users.delete(userid);
  }

  /** A stream's video or audio has begun or ended (events 1033 and 1034). */
  stream(userid, type, change) {
    this.add(userid, type === 'main' ? change.playurl : undefined);
    const user = this.users.get(userid);
    const streams = { ...user.streams, [type]: { ...user.streams[type], ...change } };
    this.users.set(userid, { ...user, streams });
  }

  /** For a screen: [{userid, playurl?, streams: [{type, playurl?, video?, audio?}]}]. */
  members() {
    return [...this.users].map(([userid, { playurl, streams }]) => ({
      userid,
      playurl,
      streams: Object.keys(streams).map((type) => ({ type, ...streams[type] })),
    }));
  }

  /** For a report: the others' userids, sorted, with the playurls that Roomgate takes. */
  userlist(self) {
    return [...this.users]
      .filter(([userid]) => userid !== self)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([userid, { playurl }]) =>
        playurl && playurl.length <= 512 ? { userid, playurl } : { userid });
  }
}

const TIMEOUT_MS = 3000; // Of a first try; half as long again with each failure, up to 40 s.
const HEARTBEAT_MS = 30000; // Where the server names no pace.
const RESEND_MS = 10000; // Between two lists that answer a resend.
const RENEWALS = 2; // New tokens in a row without one acknowledged report.

/** Between half of a delay and all of it, so that clients don't stay in step. */
const jittered = (ms, random) => Math.round(ms * (0.5 + random() / 2));

/** Ms before the next try after so many failures: 1 s, 2 s, 4 s, …, at most 30 s. */
const backoff = (failures, random) => jittered(Math.min(30000, 1000 * 2 ** failures), random);

/** Ms that an answer's Retry-After (in seconds) demands, or 0. */
function retryAfter(answer) {
  const seconds = Number(answer && answer.headers['retry-after']);
  return seconds > 0 ? Math.min(seconds, 3600) * 1000 : 0;
}

/**
 * Reports one member's lists: one request at a time, the newest list first, each until it is
 * acknowledged or out of date. Between lists it sends heartbeats.
 *
 * `onToken(reason)`: a new token is needed ('expiring', 'refused'); bring it with `use`.
 * `onAnswer(answer)`: what the server answered, or {problem}.
 * `onEnd(problem)`: reporting is over.
 */
class Reporter {
  constructor(platform, storageKey, { onToken, onAnswer, onEnd }) {
    Object.assign(this, { platform, storageKey, onToken, onAnswer, onEnd });
    this.list = null; // The newest list's users.
    this.unsent = null; // What is not acknowledged yet: {body, at, seq}.
    this.hash = null; // The server's name for the newest list, once that is acknowledged.
    this.request = null; // The one under way.
    this.failures = 0; // In a row.
    this.renewals = 0;
    this.clock = 0;
    this.read = platform.now();
    this.dueAt = this.renewAt = Infinity;
    this.notBefore = this.resentAt = -Infinity;
    this.paused = true; // Until there is a token.
    this.stopped = false;
  }

  /** Ms; goes on where the platform's clock is set back. */
  now() {
    const read = this.platform.now();
    this.clock += Math.max(0, read - this.read);
    this.read = read;
    return this.clock;
  }

  /** Report with this token. The seq goes on where this epoch's ended, after a reload too. */
  use(grant) {
    if (this.stopped || this.leaving) return;
    const stored = this.platform.storage.get(this.storageKey);
    this.seq = stored && stored.epoch === grant.epoch ? stored.seq : 0;
    this.grant = grant;
    this.failures = 0;
    this.paused = false;
    this.abandon();
    const life = grant.expiresAt * 1000 - grant.epoch; // Both by the server's clock.
    this.renewAt = this.now() + life - jittered(Math.min(600000, life / 5), this.platform.random);
    if (this.unsent) this.unsent.seq = undefined;
    else if (this.list) this.unsent = this.listAsItIsNow();
    this.wakeAt(this.unsent ? this.now() : Infinity);
  }

  /** Send no lists until `use`: the member is on its way back into the room. */
  pause() {
    this.paused = true;
    this.list = this.unsent = this.hash = null;
    this.abandon();
    this.wakeAt(Infinity);
  }

  /** These are the others now. The list is sent after `settleMs`, with what has changed until then. */
  report(users, settleMs) {
    if (this.stopped || this.leaving) return;
    const waits = this.unsent && this.unsent.seq === undefined ? this.dueAt : Infinity;
    this.list = users;
    this.hash = null;
    this.unsent = { body: { userlist: users }, at: this.now() };
    if (!this.failures) this.wakeAt(Math.min(waits, this.now() + settleMs));
  }

  /** The member has left: resolves when that is acknowledged, or given up after a minute. */
  leave() {
    if (this.leaving) return this.leaving;
    if (this.stopped || !this.grant) return Promise.resolve(this.stop());
    this.abandon();
    this.failures = 0;
    this.unsent = { body: { left: true }, at: this.now() };
    this.giveUpAt = this.now() + 60000;
    this.leaving = new Promise((resolve) => (this.onStop = resolve));
    this.wakeAt(this.now());
    return this.leaving;
  }

  /** The page goes: say so once, whatever is under way, and wait for nothing. */
  leaveAtOnce() {
    const ignore = () => {}; // Nobody is left who could try again.
    if (!this.stopped && this.grant) this.post({ seq: this.takeSeq(), left: true }, true).then(ignore, ignore);
    this.stop();
  }

  /** The app shows again, or the network is back: do what is due, and retry soon. */
  wake(networkIsNew) {
    if (networkIsNew && this.request) {
      this.abandon(); // Its connection is gone.
      this.failures += 1;
    }
    const soon = this.now() + jittered(1000, this.platform.random);
    this.wakeAt(this.failures ? Math.min(this.dueAt, Math.max(soon, this.notBefore)) : this.dueAt);
  }

  /** Send nothing more. */
  stop() {
    this.stopped = true;
    this.abandon();
    this.platform.clearTimeout(this.timer);
    if (this.onStop) this.onStop();
  }

  /** The server's roster of the room, or null where the entry names no address for it. */
  async roster() {
    if (!this.grant || !this.grant.rosterUrl) return null;
    const headers = { Authorization: `Bearer ${this.grant.token}` };
    if (this.etag) headers['If-None-Match'] = this.etag;
    const answer = await this.platform.send({ method: 'GET', url: this.grant.rosterUrl, headers, timeoutMs: 10000 });
    if (answer.status === 200) [this.etag, this.known] = [answer.headers.etag, answer.body];
    return this.known || null;
  }

  listAsItIsNow() {
    return { body: { userlist: this.list, resent: true } }; // Without a time: its age is 0 when it is sent.
  }

  abandon() {
    const { request } = this;
    this.request = null;
    if (!request) return;
    this.platform.clearTimeout(request.timer);
    if (request.sending && request.sending.abort) request.sending.abort();
  }

  wakeAt(at) {
    this.dueAt = at;
    this.platform.clearTimeout(this.timer);
    const next = this.leaving ? at : Math.min(at, this.renewAt);
    if (next === Infinity || this.request || this.stopped) return;
    this.timer = this.platform.setTimeout(() => this.act(), Math.max(0, next - this.now()));
  }

  act() {
    if (this.stopped || this.request) return;
    if (this.leaving) {
      if (this.now() >= this.giveUpAt) return this.stop();
    } else {
      if (this.now() >= this.renewAt) return this.askForToken('expiring');
      if (this.paused) return;
    }
    if (this.now() < this.dueAt) this.wakeAt(this.dueAt);
    else if (this.unsent) this.sendReport(this.unsent);
    else if (this.hash) this.track({ heartbeat: true, hash: this.hash });
  }

  /** A report keeps its seq however often it is sent; the next report takes the next. */
  sendReport(report) {
    if (report.seq === undefined) report.seq = this.takeSeq();
    const age = report.at === undefined ? 0 : Math.floor(this.now() - report.at);
    this.track({ seq: report.seq, ageMs: Math.min(age, 86400000), ...report.body }, report);
  }

  takeSeq() {
    const seq = this.seq++;
    this.platform.storage.set(this.storageKey, { epoch: this.grant.epoch, seq: this.seq });
    return seq;
  }

  timeoutMs() {
    return Math.min(40000, TIMEOUT_MS * 1.5 ** this.failures);
  }

  post(body, last) {
    const headers = { Authorization: `Bearer ${this.grant.token}`, 'Content-Type': 'application/json' };
    return this.platform.send({ method: 'POST', url: this.grant.url, headers, body, timeoutMs: this.timeoutMs(), last });
  }

  /** Send, and deal with the answer unless the request was abandoned. */
  track(body, report) {
    const request = (this.request = {});
    const done = (answer) => {
      if (this.request !== request) return;
      this.abandon();
      this.handle(answer, report);
    };
    request.timer = this.platform.setTimeout(done, this.timeoutMs() + 500); // If the platform forgets it.
    request.sending = this.post(body);
    request.sending.then(done, () => done());
  }

  handle(answer, report) {
    const status = answer ? answer.status : 0;
    if (status === 200) this.acknowledged(answer.body, report);
    else if (status === 400 || status === 413) this.refused(answer, report);
    else if (status === 401 || status === 409 || status === 410) this.tokenRefused(answer);
    else if (status >= 404 && status < 500 && status !== 408 && status !== 429) this.end(answer);
    else this.retry(answer);
  }

  acknowledged(answer, report) {
    this.failures = this.renewals = 0;
    this.notBefore = -Infinity;
    if (this.leaving) return this.stop();
    if (report && this.unsent === report) {
      this.unsent = null;
      this.hash = answer.hash;
    }
    this.onAnswer(answer);
    if (answer.resend && !this.unsent) return this.resend();
    const pace = Math.min(Math.max(Math.round(answer.heartbeatAfterMs) || HEARTBEAT_MS, 1000), 600000);
    this.wakeAt(this.now() + (this.unsent ? 0 : pace));
  }

  retry(answer) {
    const demanded = retryAfter(answer);
    const wait = backoff(this.failures, this.platform.random);
    this.failures += 1;
    this.notBefore = this.now() + demanded;
    this.wakeAt(this.notBefore + (demanded ? jittered(1000, this.platform.random) : wait));
  }

  resend() {
    this.unsent = this.listAsItIsNow();
    this.resentAt = Math.max(this.now(), this.resentAt + RESEND_MS);
    this.wakeAt(this.resentAt);
  }

  /** The server does not take the list: it is not sent again, and no heartbeat says that it holds. */
  refused(answer, report) {
    if (this.leaving) return this.stop();
    this.failures = 0;
    this.hash = null;
    if (!report) return this.resend(); // It was a heartbeat.
    if (this.unsent === report) this.unsent = null;
    this.onAnswer({ problem: problemOf(answer) });
    this.wakeAt(this.unsent ? this.now() : Infinity);
  }

  tokenRefused(answer) {
    if (this.leaving) return this.stop();
    this.renewals += 1;
    if (this.renewals > RENEWALS) return this.end(answer);
    this.paused = true;
    this.askForToken('refused');
  }

  askForToken(reason) {
    this.renewAt = this.now() + 60000; // If none comes, ask again.
    this.wakeAt(this.dueAt);
    this.onToken(reason);
  }

  end(answer) {
    this.stop();
    this.onEnd(problemOf(answer));
  }
}

/** What went wrong, as the server explains it. */
function problemOf(answer) {
  const { code, detail, tencentCode } = answer.body || {};
  return { status: answer.status, code: code || 'unexpected-answer', detail, tencentCode };
}

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

/** Ms since some moment: monotonic where the host has such a clock. */
const clockOf = (performance) => () => (performance && performance.now ? performance.now() : Date.now());

const timers = {
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (id) => clearTimeout(id),
  random: () => Math.random(),
};

/** An answer's body as JSON, where it is JSON. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return text;
  }
}

/** A store that may be full or forbidden. Without it, a stored entry costs one 409 after a reload. */
function forgiving({ get, set }) {
  const attempt = (run) => {
    try {
      return run();
    } catch (error) {
      return null;
    }
  };
  return { get: (key) => attempt(() => get(key)), set: (key, value) => attempt(() => set(key, value)) };
}

/** The mini-program's platform: `wxPlatform(wx)`. */
function wxPlatform(wx) {
  return {
    ...timers,
    now: clockOf(wx.getPerformance && wx.getPerformance()),
    storage: forgiving({
      get: (key) => wx.getStorageSync(key) || null,
      set: (key, value) => wx.setStorageSync(key, value),
    }),
    send({ method, url, headers, body, timeoutMs }) {
      let task;
      const sending = new Promise((resolve, reject) => {
        task = wx.request({
          ...{ method, url, header: headers, data: body, timeout: timeoutMs },
          success({ statusCode, header, data }) {
            const lower = {};
            for (const name of Object.keys(header || {})) lower[name.toLowerCase()] = header[name];
            resolve({ status: statusCode, headers: lower, body: typeof data === 'string' ? parsed(data) : data });
          },
          fail: ({ errMsg }) => reject(new Error(errMsg)),
        });
      });
      sending.abort = () => task.abort();
      return sending;
    },
    watch(member) {
      const shown = () => member.shown();
      const network = ({ isConnected }) => isConnected && member.online();
      wx.onAppShow(shown);
      wx.onNetworkStatusChange(network);
      return () => {
        wx.offAppShow(shown);
        wx.offNetworkStatusChange(network);
      };
    },
  };
}

/** The browser's platform: `browserPlatform(window)`. */
function browserPlatform(window) {
  return {
    ...timers,
    now: clockOf(window.performance),
    storage: forgiving({
      get: (key) => JSON.parse(window.localStorage.getItem(key)),
      set: (key, value) => window.localStorage.setItem(key, JSON.stringify(value)),
    }),
    send({ method, url, headers, body, timeoutMs, last }) {
      const controller = new window.AbortController();
      const timer = setTimeout(() => controller.abort(), timeoutMs);
      const request = { method, headers, body: body && JSON.stringify(body), signal: controller.signal };
      const sending = (async () => {
        try {
          const response = await window.fetch(url, { ...request, keepalive: Boolean(last), cache: 'no-store', credentials: 'omit' });
          const read = { 'retry-after': response.headers.get('retry-after'), etag: response.headers.get('etag') };
          return { status: response.status, headers: read, body: parsed(await response.text()) };
        } finally {
          clearTimeout(timer);
        }
      })();
      sending.abort = () => controller.abort();
      return sending;
    },
    watch(member) {
      const listeners = [
        [window, 'pagehide', () => member.pageGoes()],
        [window, 'pageshow', () => member.shown()],
        [window.document, 'visibilitychange', () => window.document.hidden || member.shown()],
        [window, 'online', () => member.online()],
      ];
      for (const [target, name, listener] of listeners) target.addEventListener(name, listener);
      return () => {
        for (const [target, name, listener] of listeners) target.removeEventListener(name, listener);
      };
    },
  };
}

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

module.exports = { Member, Reporter, wxPlatform, browserPlatform, watchTrtc, watchTrtcWx };
