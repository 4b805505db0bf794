// A socket.io 2.5 server for each line of options on standard input; one answer a line: the
// Set-Cookie fields of its handshake and of the poll behind it, with the session's id.
//
// `tests/engine/polling/test_javascript_cookies.py` is the other end.
'use strict';

const http = require('http');
const readline = require('readline');

const server = require('socket.io');

function get(port, query) {
  return new Promise((resolve, reject) => {
    http.get({ port, host: '127.0.0.1', path: `/socket.io/?EIO=3&transport=polling${query}` }, (response) => {
      let body = '';
      response.on('data', (data) => { body += data; });
      response.on('end', () => resolve([response.headers['set-cookie'] || [], body]));
    }).on('error', reject);
  });
}

async function answer({ sid, ...options }) {
  const below = http.createServer();
  const io = server(below, options);
  if (sid) io.engine.generateId = () => sid;
  await new Promise((resolve) => { below.listen(0, '127.0.0.1', resolve); });
  const { port } = below.address();
  const [first, body] = await get(port, '');
  const { sid: id } = JSON.parse(/{.*?}/.exec(body)[0]);
  io.emit('something');
  const [second] = await get(port, `&sid=${encodeURIComponent(id)}`);
  io.close();
  return { id, cookies: [first, second] };
}

let previous = Promise.resolve();
readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    previous = previous
      .then(() => answer(JSON.parse(line)))
      .then((result) => process.stdout.write(`${JSON.stringify(result)}\n`));
  });
