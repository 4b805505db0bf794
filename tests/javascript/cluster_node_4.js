// One node of a cluster: socket.io 4.8 with @socket.io/redis-adapter 8, which obeys a test.
// `node cluster_node_4.js '{"name", "url", "key", "requestsTimeout", "publishOnSpecificResponseChannel"}'`
// tells "ready" with its port.
'use strict';

const http = require('http');

const { createAdapter } = require('@socket.io/redis-adapter');
const { createClient } = require('redis-4');
const { Server } = require('socket.io-4.8');

const { obey, tell } = require('./orders');

const { name, url, ...options } = JSON.parse(process.argv[2]);

/** Begin to listen in a namespace, or in those that a dynamic one makes. */
function prepare(namespace) {
  namespace.on('connection', (socket) => {
    socket.data = { node: name, bytes: Buffer.from([0, 255]) };
    socket.on('join', (room, acknowledge) => { socket.join(room); acknowledge(room); });
    socket.on('leave', (room, acknowledge) => { socket.leave(room); acknowledge(room); });
  });
}

/** What an event is emitted by. */
function chosen(io, { namespace = '/', rooms = [], except = [], sender, flags = {} }) {
  let target = io.of(namespace);
  if (sender) target = target.sockets.get(sender).broadcast;
  if (rooms.length) target = target.to(rooms);
  if (except.length) target = target.except(except);
  for (const [flag, value] of Object.entries(flags)) {
    target = typeof target[flag] === 'function' ? target[flag](value) : target[flag];
  }
  return target;
}

function verbsOf(io) {
  const emit = (target, event, ...args) => { chosen(io, target).emit(event, ...args); };
  const fetch = (target) => chosen(io, target).fetchSockets();
  const at = (namespace, id) => io.of(namespace).in(id);
  return {
    of: (namespace) => prepare(io.of(namespace)),
    dynamic: (pattern) => prepare(io.of(new RegExp(pattern))),
    emit,
    /** Emit events that are numbered from `start` on. */
    burst(target, event, start, count) {
      for (let number = start; number < start + count; number++) emit(target, event, number);
    },
    /** Emit to many, and return what they answer. */
    call: (target, timeout, event, ...args) => chosen(io, target).timeout(timeout * 1000)
      .emitWithAck(event, ...args),
    sockets: (namespace) => [...io.of(namespace).sockets.keys()],
    join: (namespace, id, room) => io.of(namespace).sockets.get(id).join(room),
    leave: (namespace, id, room) => io.of(namespace).sockets.get(id).leave(room),
    clients: async (namespace, rooms) => (await fetch({ namespace, rooms })).map(({ id }) => id),
    allRooms: async (namespace) => [...await io.of(namespace).adapter.allRooms()],
    clientRooms: async (namespace, id) => [...(await at(namespace, id).fetchSockets())[0].rooms],
    fetchSockets: async (target) => (await fetch(target)).map(({ id, rooms, data, handshake }) => ({
      id, rooms: [...rooms], data, handshake,
    })),
    socketsJoin: (target, rooms) => chosen(io, target).socketsJoin(rooms),
    socketsLeave: (target, rooms) => chosen(io, target).socketsLeave(rooms),
    disconnectSockets: (target, close) => chosen(io, target).disconnectSockets(close),
    serverCount: (namespace) => io.of(namespace).adapter.serverCount(),
    serverSideEmit: (namespace, ...args) => { io.of(namespace).serverSideEmit(...args); },
    serverSideCall: (namespace, ...args) => io.of(namespace).serverSideEmitWithAck(...args),
    /** Tell of an event of other servers, and answer it. */
    hearServers(namespace, event) {
      io.of(namespace).on(event, (...args) => {
        const last = args[args.length - 1];
        const answer = typeof last === 'function' ? args.pop() : () => {};
        tell('server event', event, ...args);
        answer({ name, args });
      });
    },
  };
}

async function main() {
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  publisher.on('error', (error) => tell('error', error.message));
  subscriber.on('error', (error) => tell('error', error.message));
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const server = http.createServer();
  const adapter = createAdapter(publisher, subscriber, options);
  const io = new Server(server, { adapter, allowEIO3: true });
  prepare(io.of('/'));
  server.listen(0, '127.0.0.1', () => tell('ready', server.address().port));
  obey(verbsOf(io));
}

main();
