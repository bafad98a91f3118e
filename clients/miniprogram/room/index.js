const { Member, wxPlatform } = require('./roomgate-member');
const { textsOf } = require('./texts');

/** The language of WeChat, or the one of the property. */
function languageOf(chosen) {
  if (chosen) return chosen;
  const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync();
  return info.language || 'zh_CN';
}

/** What a live-player plays of a member: its camera, whatever client it has. */
function sourceOf({ playurl, streams }) {
  const main = streams.find(({ type }) => type === 'main');
  return (main && main.playurl) || playurl || '';
}

Component({
  properties: {
    camera: { type: Boolean, value: true },
    mic: { type: Boolean, value: true },
    language: { type: String, value: '' }, // 'zh' or 'en'; by default WeChat's.
  },

  data: { url: '', me: '', players: [], status: '', problem: '', failed: false, againLabel: '' },

  lifetimes: {
    detached() {
      if (this.member) this.member.leave();
    },
  },

  methods: {
    /** Enter: {getEntry, getRoomUrl?, flow?}, as the member library takes them. */
    enter(options) {
      if (this.member) this.member.leave();
      this.member = new Member({ platform: wxPlatform(wx), ...options, onChange: (state) => this.show(state) });
      this.member.enter();
    },

    /** Leave the room; resolves when the server knows it. */
    leave() {
      return this.member ? this.member.leave() : Promise.resolve();
    },

    again() {
      this.member.enter();
    },

    onPushEvent(event) {
      this.member.onPushEvent(event);
    },

    show(state) {
      const { status, problem, again } = textsOf(state, languageOf(this.properties.language));
      this.setData({
        url: state.url,
        me: state.entry ? state.entry.userId : '',
        players: state.members.map((member) => ({ userid: member.userid, src: sourceOf(member) })),
        status,
        problem,
        failed: state.phase === 'failed',
        againLabel: again,
      });
      this.triggerEvent('change', { phase: state.phase, members: state.members, problem: state.problem });
    },
  },
});
