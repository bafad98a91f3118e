Page({
  data: { roomId: '1234', roomsig: false, wrong: false },

  onInput(event) {
    this.setData({ roomId: event.detail.value, wrong: false });
  },

  onSwitch(event) {
    this.setData({ roomsig: event.detail.value });
  },

  enter() {
    const roomId = Number(this.data.roomId);
    if (!(Number.isInteger(roomId) && roomId >= 1 && roomId <= 4294967295)) return this.setData({ wrong: true });
    const flow = this.data.roomsig ? 'roomsig' : 'rtc';
    return wx.navigateTo({ url: `/demo/call/call?roomId=${roomId}&flow=${flow}` });
  },
});
