'use strict';

// Writes what is made of lib/: one ES module for browsers, one CommonJS file for the mini-program.
// `node build.js --check` writes nothing and fails if what is there is not what lib/ makes.

const fs = require('fs');
const path = require('path');

const FILES = ['others', 'reporter', 'member', 'platforms', 'sdks'];
const NAMES = Object.keys(require('./index'));

const body = FILES.map((name) => fs.readFileSync(path.join(__dirname, 'lib', `${name}.js`), 'utf8'))
  .map((text) => text.replace(/^'use strict';\n|^const .* = require\(.*\);\n|^module\.exports = .*;\n/gm, '').trim())
  .join('\n\n');
const head = '// Made of clients/member/lib by clients/member/build.js: change it there.\n';
const made = {
  'roomgate-member.mjs': `${head}\n${body}\n\nexport { ${NAMES.join(', ')} };\n`,
  '../miniprogram/room/roomgate-member.js': `${head}'use strict';\n\n${body}\n\nmodule.exports = { ${NAMES.join(', ')} };\n`,
};

let stale = 0;
for (const [name, text] of Object.entries(made)) {
  const file = path.join(__dirname, name);
  if (process.argv.includes('--check')) {
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) continue;
    console.error(`${name} is not what lib/ makes: run node clients/member/build.js`);
    stale = 1;
  } else {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}
process.exitCode = stale;
