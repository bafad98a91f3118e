const { backendFor } = require('../backend');

Page({
  data: { camera: true, mic: true },

  onLoad({ roomId, flow }) {
    this.options = { ...backendFor(Number(roomId)), flow };
    wx.setNavigationBarTitle({ title: `Room 房间 ${roomId}` });
  },

  onReady() {
    this.selectComponent('#room').enter(this.options);
  },

  onChange(event) {
    if (event.detail.phase === 'left') wx.navigateBack();
  },

  toggleCamera() {
    this.setData({ camera: !this.data.camera });
  },

  toggleMic() {
    this.setData({ mic: !this.data.mic });
  },

  leave() {
    this.selectComponent('#room').leave();
  },
});
