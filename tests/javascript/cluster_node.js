// One node of a cluster: socket.io 2.5.1 with socket.io-redis 5.4.0, which obeys a test.
// `node cluster_node.js '{"name", "url", "key", "requestsTimeout"}'` tells "ready" with its port.
'use strict';

const http = require('http');

const hasBinary = require('has-binary2');
const socketIo = require('socket.io');
const redisAdapter = require('socket.io-redis');

const { obey, tell } = require('./orders');

const { name, url, key, requestsTimeout } = JSON.parse(process.argv[2]);
const EVENT = 2;
const BINARY_EVENT = 5;

const adapter = redisAdapter({ url, key, requestsTimeout, retry_strategy: () => 100 });
adapter.pubClient.setMaxListeners(0);
adapter.subClient.setMaxListeners(0);
const server = http.createServer();
const io = socketIo(server);
io.adapter(adapter);

/** Begin to listen in a namespace, or in those that a dynamic one makes. */
function prepare(namespace) {
  if (namespace.adapter) namespace.adapter.on('error', (error) => tell('error', error.message));
  namespace.on('connection', (socket) => {
    socket.on('join', (room, acknowledge) => socket.join(room, () => acknowledge(room)));
    socket.on('leave', (room, acknowledge) => socket.leave(room, () => acknowledge(room)));
  });
}

/** What an event is emitted by; flags and rooms hold for one event. */
function chosen({ namespace = '/', rooms = [], sender, flags = {} }) {
  let target = io.of(namespace);
  if (sender) target = target.connected[sender].broadcast;
  for (const room of rooms) target = target.to(room);
  for (const [flag, value] of Object.entries(flags)) {
    target = typeof target[flag] === 'function' ? target[flag](value) : target[flag];
  }
  return target;
}

function emit(target, event, ...args) {
  if (target.except) {
    // There is no method for it, but adapters of all nodes know it.
    const { namespace = '/', rooms = [], except, flags = {} } = target;
    const type = hasBinary(args) ? BINARY_EVENT : EVENT;
    io.of(namespace).adapter.broadcast({ type, data: [event, ...args] }, { except, rooms, flags });
  } else {
    chosen(target).emit(event, ...args);
  }
}

/** Call a method of a namespace's adapter, whose callback gets an error first. */
function ask(namespace, method, ...args) {
  return new Promise((resolve, reject) => {
    io.of(namespace).adapter[method](...args, (error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

const verbs = {
  of: (namespace) => prepare(io.of(namespace)),
  dynamic: (pattern) => prepare(io.of(new RegExp(pattern))),
  emit,
  /** Emit events that are numbered from `start` on. */
  burst(target, event, start, count) {
    for (let number = start; number < start + count; number++) emit(target, event, number);
  },
  sockets: (namespace) => Object.keys(io.of(namespace).connected),
  join: (namespace, id, room) => new Promise((resolve) => {
    io.of(namespace).connected[id].join(room, () => resolve());
  }),
  leave: (namespace, id, room) => new Promise((resolve) => {
    io.of(namespace).connected[id].leave(room, () => resolve());
  }),
  clients: (namespace, rooms) => ask(namespace, 'clients', rooms),
  allRooms: (namespace) => ask(namespace, 'allRooms'),
  clientRooms: (namespace, id) => ask(namespace, 'clientRooms', id),
  remoteJoin: (namespace, id, room) => ask(namespace, 'remoteJoin', id, room),
  remoteLeave: (namespace, id, room) => ask(namespace, 'remoteLeave', id, room),
  remoteDisconnect: (namespace, id, close) => ask(namespace, 'remoteDisconnect', id, close),
  customRequest: (namespace, data) => ask(namespace, 'customRequest', data),
  /** Answer custom requests with what they bring, and with the name of this node. */
  hook(namespace) {
    io.of(namespace).adapter.customHook = (data, answer) => answer({ name, data });
  },
};

prepare(io.of('/'));
server.listen(0, '127.0.0.1', () => tell('ready', server.address().port));
obey(verbs);
