'use strict';

const { Member } = require('./lib/member');
const { Reporter } = require('./lib/reporter');
const { wxPlatform, browserPlatform } = require('./lib/platforms');
const { watchTrtc, watchTrtcWx } = require('./lib/sdks');

module.exports = { Member, Reporter, wxPlatform, browserPlatform, watchTrtc, watchTrtcWx };
