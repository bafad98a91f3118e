'use strict';

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

module.exports = { wxPlatform, browserPlatform };
