// What a person reads of a state, in Chinese and English.

const PHASES = {
  idle: ['', ''],
  entering: ['正在进入房间…', 'Entering the room…'],
  connecting: ['正在连接…', 'Connecting…'],
  alone: ['房间里只有您一人', 'You are the only one here'],
  inside: ['房间内共 {} 人', '{} people are in the room'],
  suspended: ['通话已暂停，返回后自动恢复', 'The call is paused; it goes on when you come back'],
  left: ['您已离开房间', 'You have left the room'],
  failed: ['无法进入房间', 'The room cannot be entered'],
};

const PROBLEMS = {
  'no-answer': ['网络不可用，正在重试', 'There is no network; trying again'],
  'room-not-allowed': ['您不能进入此房间', 'You may not enter this room'],
  'user-not-allowed': ['您不能进入此房间', 'You may not enter this room'],
  'rate-limited': ['请求过于频繁，请稍后', 'Too many requests; please wait'],
  'roomsig-refused': ['腾讯云拒绝了进房请求', 'Tencent refused the request to enter'],
  'kicked-out': ['您已被移出房间', 'You were put out of the room'],
  'list-too-large': ['房间人数过多，名单可能不完整', 'The room is too large; the list may be incomplete'],
  'pusher-1301': ['无法打开摄像头，请检查权限', 'The camera cannot be opened; check its permission'],
  'pusher-1302': ['无法打开麦克风，请检查权限', 'The microphone cannot be opened; check its permission'],
  'pusher-1307': ['连接已断开，正在重连', 'The connection was lost; reconnecting'],
  pusher1019: ['连接已断开，正在重连', 'The connection was lost; reconnecting'],
  pusher1022: ['进房失败，正在重试', 'Entering failed; trying again'],
};
const OTHER = ['出现问题', 'Something went wrong'];
const AGAIN = ['重试', 'Try again'];

/** The texts of a state: {status, problem, again}. A problem that has no text keeps its code. */
function textsOf({ phase, members, problem }, language) {
  const column = /^zh/i.test(language) ? 0 : 1;
  const known = phase === 'inside' && !members.length ? PHASES.alone : PHASES[phase];
  const explained = problem && (PROBLEMS[problem.code] || OTHER)[column];
  const code = problem && (problem.tencentCode || problem.code);
  return {
    status: known[column].replace('{}', String(members.length + 1)),
    problem: explained ? `${explained} (${code})` : '',
    again: AGAIN[column],
  };
}

module.exports = { textsOf, PHASES, PROBLEMS };
