// Clients that do what they are told. `node client.js package|bundle`: which build of
// socket.io-client 2.5.0; `3.1`, `4.0`, `4.8` for its later releases; `engine` for engine.io-client
// 3.5. One order a line on standard input,
// one report a line on standard output:
//
//     [verb, client, …]  ->  {"client", "event", "args", "transport"}
//
// `tests/support/peers.py` is the other end.
'use strict';

const readline = require('readline');

const { pack, unpack } = require('./values');

const LIFE = ['connect', 'disconnect', 'error', 'connect_error', 'reconnecting', 'reconnect'];
const build = process.argv[2];
const io = load();
const clients = new Map();
let emitted = 0;

function load() {
  if (build === 'engine') return require('engine.io-client');
  if (/^\d/.test(build)) return require(`socket.io-client-${build}`).io;
  if (build !== 'bundle') return require('socket.io-client');
  // What a browser would have brought along.
  global.WebSocket = require('ws');
  global.XMLHttpRequest = require('xmlhttprequest-ssl').XMLHttpRequest;
  return require('socket.io-client/dist/socket.io.js');
}

const verbs = {
  /** What is heard is reported; an event that is in `answers` is also acknowledged, with the
   * arguments given there, or with those it brought if they are null. */
  open(name, url, { hear, answers, ...options }) {
    if (options.parser === 'msgpack') options.parser = require('socket.io-msgpack-parser');
    const socket = io(url, { forceNew: true, ...options });
    listen(name, socket, hear, answers);
    const report = reporter(name, () => socket.io.engine);
    socket.io.on('open', () => watchUpgrade(socket.io.engine, report));
    if (hear.includes('discarded')) socket.io.on('open', () => watchDiscards(socket.io.engine, report));
    // socket.io-parser 3.3.6 keeps half of a binary event when the connection is cut, and then
    // throws at the first packet of the next one.
    socket.io.on('close', () => { socket.io.decoder.reconstructor = null; });
  },
  /** Another namespace on the connection of another client. */
  share(name, other, namespace, { hear, answers, ...options }) {
    listen(name, clients.get(other).io.socket(namespace, options), hear, answers);
  },
  emit: (name, event, ...args) => clients.get(name).emit(event, ...args),
  /** Emit at once by several clients: each event has the next number of this process. */
  scatter(name, events) {
    for (const [client, event] of events) clients.get(client).emit(event, emitted++);
    const { engine } = clients.get(name).io;
    reporter(name, () => engine)('scattered', [Boolean(engine.upgrading)]);
  },
  /** Upgrade, of a client that was opened with `upgrade: false`; scatter in the middle of it. */
  upgrade(name, events) {
    const { engine } = clients.get(name).io;
    engine.once('upgrading', () => verbs.scatter(name, events));
    engine.probe('websocket');
  },
  call(name, number, event, ...args) {
    const report = reporter(name, () => clients.get(name).io.engine);
    clients.get(name).emit(event, ...args, (...answer) => report(`answer ${number}`, answer));
  },
  connect: (name) => clients.get(name).connect(),
  /** Lose the connection without the server noticing: nothing is closed, and nobody reads on. */
  vanish(name) {
    const { engine } = clients.get(name).io;
    engine.transport.close = () => {};
    engine._onClose('ping timeout');
  },
  /** Take nothing of the next connection in: it is lost, as by `vanish`, with the first answer to
   * CONNECT, or with the first event that comes before. */
  miss(name) {
    const { io } = clients.get(name);
    const { decoder } = io;
    const { add } = decoder;
    io.once('open', () => {
      decoder.add = () => { decoder.add = add; verbs.vanish(name); };
    });
    reporter(name, () => io.engine)('missing', []);
  },
  /** Open a client that has what another one has of its socket: the secret, and the last offset. */
  copy(name, other, ...args) {
    verbs.open(name, ...args);
    const { _pid, _lastOffset } = clients.get(other);
    Object.assign(clients.get(name), { _pid, _lastOffset });
  },
  /** Whether it got its socket back (4.6 and later), as the event "recovered". */
  recovered: (name) => reporter(name, () => clients.get(name).io.engine)('recovered', [Boolean(clients.get(name).recovered)]),
  close: (name) => clients.get(name).close(),
  /** The engine alone, without Socket.IO. */
  engine(name, url, options) {
    const engine = io(url, options);
    clients.set(name, engine);
    const report = reporter(name, () => engine);
    engine.on('open', () => report('open', [engine.id]));
    engine.on('message', (data) => report('message', [data]));
    engine.on('close', (reason) => report('close', [reason]));
    watchUpgrade(engine, report);
  },
  send: (name, data) => clients.get(name).send(data),
};

function listen(name, socket, hear, answers) {
  clients.set(name, socket);
  const report = reporter(name, () => socket.io.engine);
  for (const event of LIFE) {
    socket.on(event, (...args) => report(event, event === 'connect' ? [socket.id] : args));
  }
  for (const event of hear) {
    socket.on(event, (...args) => {
      const acknowledge = typeof args[args.length - 1] === 'function' ? args.pop() : () => {};
      report(event, args);
      if (event in answers) acknowledge(...(answers[event] || args));
    });
  }
}

function watchUpgrade(engine, report) {
  engine.on('upgrade', (transport) => report('upgrade', [transport.name]));
}

/** Report what the client gives up by itself when its connection ends: what it had not sent yet,
 * and what it handed to a WebSocket that was closing. */
function watchDiscards(engine, report) {
  const discard = (packets) => packets.length && report('discarded', packets.map(({ data }) => data));
  engine.on('flush', () => {
    const { ws } = engine.transport;
    if (ws && ws.readyState !== ws.OPEN) discard(engine.writeBuffer.slice(0, engine.prevBufferLen));
  });
  engine.on('close', () => discard(engine.writeBuffer.slice(engine.prevBufferLen)));
}

function reporter(client, engine) {
  return (event, args) => {
    const { transport } = engine() || {};
    const report = { client, event, args: pack(args), transport: transport ? transport.name : null };
    process.stdout.write(`${JSON.stringify(report)}\n`);
  };
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [verb, ...args] = unpack(JSON.parse(line));
    verbs[verb](...args);
  })
  .on('close', () => process.exit());
