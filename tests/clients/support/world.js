'use strict';

// Virtual time: timers run in their order as soon as what came before them has settled.

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A binary heap of timers, the earliest first; of equal ones the first that was set. */
class Timers {
  constructor() {
    this.heap = [];
  }

  static before(a, b) {
    return a.at < b.at || (a.at === b.at && a.id < b.id);
  }

  push(timer) {
    const { heap } = this;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (Timers.before(heap[parent], timer)) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = timer;
  }

  pop() {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (!heap.length) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && Timers.before(heap[child + 1], heap[child])) child += 1;
      if (Timers.before(last, heap[child])) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

/** A world with a clock of its own, in ms. */
class World {
  constructor(seed = 1) {
    this.time = 1700000000000;
    this.random = randomOf(seed);
    this.timers = new Timers();
    this.ids = 0;
  }

  later(ms, run) {
    const timer = { at: this.time + Math.max(0, ms), id: (this.ids += 1), run };
    this.timers.push(timer);
    return timer;
  }

  cancel(timer) {
    if (timer) timer.run = null;
  }

  /** Go on for some ms. */
  async pass(ms) {
    const until = this.time + ms;
    await settled();
    while (this.timers.heap.length && this.timers.heap[0].at <= until) {
      const timer = this.timers.pop();
      if (!timer.run) continue;
      this.time = Math.max(this.time, timer.at);
      timer.run();
      await settled();
    }
    this.time = until;
  }

  between(low, high) {
    return low + this.random() * (high - low);
  }

  chance(part) {
    return this.random() < part;
  }
}

/** Promises that are ready have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

module.exports = { World, randomOf };
