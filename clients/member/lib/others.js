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

module.exports = { Others };
