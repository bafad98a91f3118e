'use strict';

// A member's phone in a world: the platform that the library is handed, with a network that loses,
// delays and repeats, and an app that hides.

/** What may happen to a request; parts of 1, and ms. */
const GOOD = { lost: 0, late: 0, twice: 0 };

class Phone {
  constructor(world, server, network = GOOD) {
    Object.assign(this, { world, server, network });
    this.open = 0; // Requests under way, as the client sees it.
    this.mostOpen = 0;
    this.hidden = false;
    this.waiting = []; // What is to run when the app shows.
    this.down = false; // No network.
    this.stored = new Map();
    this.member = null;
    this.sent = [];
    this.platform = {
      now: () => world.time - 1600000000000 + 0.4375, // Fractions, as performance.now() has them.
      random: world.random,
      setTimeout: (run, ms) => world.later(ms, () => this.whenShown(run)),
      clearTimeout: (timer) => world.cancel(timer),
      storage: { get: (key) => this.stored.get(key) || null, set: (key, value) => this.stored.set(key, value) },
      send: (request) => this.send(request),
      watch: (member) => {
        this.member = member;
        return () => (this.member = null);
      },
    };
  }

  /** Run now, or when the app shows again: a hidden app's timers stand still. */
  whenShown(run) {
    if (this.hidden) this.waiting.push(run);
    else run();
  }

  hide() {
    this.hidden = true;
  }

  show() {
    this.hidden = false;
    this.waiting.splice(0).forEach((run) => run());
    if (this.member) this.member.shown();
  }

  setDown(down) {
    this.down = down;
    if (!down && this.member) this.whenShown(() => this.member && this.member.online());
  }

  /** The network brings a request once more; whatever it is answered reaches nobody. */
  repeat(request) {
    Promise.resolve(this.server.receive(request)).catch(() => {});
  }

  send(request) {
    const { world, network } = this;
    const entry = { at: world.time, ...request };
    this.sent.push(entry);
    this.mostOpen = Math.max(this.mostOpen, (this.open += 1));
    let abort;
    const sending = new Promise((resolve, reject) => {
      let over = false;
      const settle = (how) => this.whenShown(() => {
        if (over) return;
        over = true;
        this.open -= 1;
        how();
      });
      abort = () => settle(() => reject(new Error('aborted')));
      world.later(request.timeoutMs, () => settle(() => reject(new Error('timeout'))));
      if (this.down || (network.failing && network.failing())) {
        if (world.chance(0.5)) world.later(world.between(5, 50), () => settle(() => reject(new Error('no network'))));
        return;
      }
      const way = world.chance(network.late) ? world.between(20000, 30000) : world.between(20, 150);
      if (world.chance(network.lost / 2)) return; // It never arrives.
      const lostAnswer = world.chance(network.lost / 2);
      const body = JSON.parse(JSON.stringify(request.body || null));
      world.later(way, () => {
        const answered = (answer) => {
          if (!lostAnswer) world.later(world.between(20, 150), () => settle(() => resolve((entry.answer = answer))));
        };
        Promise.resolve(this.server.receive({ ...request, body })).then(answered, (error) => settle(() => reject(error)));
      });
      if (world.chance(network.twice)) world.later(way + world.between(1, 5000), () => this.repeat({ ...request, body }));
    });
    sending.abort = abort;
    return sending;
  }
}

module.exports = { Phone, GOOD };
