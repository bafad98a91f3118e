'use strict';

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

module.exports = { Reporter, backoff };
