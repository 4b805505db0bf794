// Who hears emitters: socket.io 2.5.1 with socket.io-redis 5.4.0, and clients of it.
// `node emitter_audience.js '{"url", "key"}'` prints {"ready": {client: id}}, and a line
// {"client", "event", "args"} for each event that a client gets. Bytes are {"$bytes": base64}.
'use strict';

const http = require('http');

const socketIo = require('socket.io');
const client = require('socket.io-client');
const redisAdapter = require('socket.io-redis');

const { url, key } = JSON.parse(process.argv[2]);
const adapter = redisAdapter({ url, key });
const server = http.createServer();
const io = socketIo(server);
io.adapter(adapter);

const ROOMS = { both: ['a', 'b'], a: ['a'], chat: ['a'] };

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function shown(value) {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString('base64') };
  if (Array.isArray(value)) return value.map(shown);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shown(inner)]));
}

function join(namespace) {
  namespace.on('connection', (socket) => {
    const { name } = socket.handshake.query;
    socket.join(ROOMS[name], () => socket.emit('joined'));
  });
}
join(io);
join(io.of('/chat'));

// Its patterns and its channels: nothing that is published later is missed.
let pending = 4;
const ids = {};
function subscribed() {
  pending -= 1;
  if (pending === 0) server.listen(0, '127.0.0.1', connect);
}
adapter.subClient.on('psubscribe', subscribed);
adapter.subClient.on('subscribe', (channel) => { if (channel.includes('request')) subscribed(); });

function connect() {
  for (const name of Object.keys(ROOMS)) {
    const path = name === 'chat' ? '/chat' : '/';
    const address = `http://127.0.0.1:${server.address().port}${path}`;
    const socket = client(address, { forceNew: true, query: { name }, transports: ['websocket'] });
    const onevent = socket.onevent;
    socket.onevent = function report(packet) {
      const [event, ...args] = packet.data;
      if (event !== 'joined') tell({ client: name, event, args: shown(args) });
      onevent.call(this, packet);
    };
    socket.on('joined', () => {
      ids[name] = socket.id;
      if (Object.keys(ids).length === Object.keys(ROOMS).length) tell({ ready: ids });
    });
  }
}

process.stdin.on('end', () => process.exit());
process.stdin.resume();
