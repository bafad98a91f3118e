const { backend } = require('../config');

/** Post JSON to the backend. Rejects with its problem, as the member expects it. */
function post(path, body, token) {
  return new Promise((resolve, reject) => {
    wx.request({
      method: 'POST',
      url: backend + path,
      header: token ? { Authorization: `Bearer ${token}` } : {},
      data: body,
      success({ statusCode, header, data }) {
        if (statusCode === 200) return resolve(data);
        const { code, detail, tencentCode } = data || {};
        return reject({ status: statusCode, code, detail, tencentCode, retryAfter: header['Retry-After'] });
      },
      fail: ({ errMsg }) => reject({ code: 'no-answer', detail: errMsg }),
    });
  });
}

/** A session of this user: WeChat's login code becomes one. */
function login() {
  return new Promise((resolve, reject) => {
    wx.login({
      success: ({ code }) => post('/login', { code }).then(({ token }) => resolve(token), reject),
      fail: ({ errMsg }) => reject({ code: 'no-login', detail: errMsg }),
    });
  });
}

/** What the room component needs: an entry, and the room URL of older clients. */
function backendFor(roomId) {
  let session = null;
  const withSession = async (path, body) => {
    if (!session) session = await login();
    try {
      return await post(path, body, session);
    } catch (problem) {
      if (problem.status === 401) session = null; // The next try logs in anew.
      throw problem;
    }
  };
  return {
    getEntry: () => withSession('/enter', { roomId }),
    getRoomUrl: (answer) => withSession('/room-url', { roomId, answer }),
  };
}

module.exports = { backendFor };
