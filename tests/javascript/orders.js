// Orders of a test, a line of JSON each: `[number, verb, ...args]` on standard input, and on standard
// output `{answer: number, value}` or `{answer: number, error}`, and between them `{event, args}`.
// `tests/cluster/process.py` is the other end.
'use strict';

const readline = require('readline');

const { pack, unpack } = require('./values');

function write(report) {
  process.stdout.write(`${JSON.stringify(pack(report))}\n`);
}

/** Obey until the input ends; a verb returns its value or a promise of it. */
function obey(verbs) {
  readline.createInterface({ input: process.stdin })
    .on('line', async (line) => {
      const [answer, verb, ...args] = unpack(JSON.parse(line));
      try {
        const value = await verbs[verb](...args);
        write({ answer, value: value === undefined ? null : value });
      } catch (error) {
        write({ answer, error: error.message });
      }
    })
    .on('close', () => process.exit());
}

/** Tell of something that was not asked for. */
function tell(event, ...args) {
  write({ event, args });
}

module.exports = { obey, tell };
