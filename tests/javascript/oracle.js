// Asks the JavaScript parsers what they think. One request a line, one answer a line:
//
//     [operation, input, input, …]  ->  [answer, answer, …]
//
// Values travel as in `tests/protocol/oracle.py`: bytes, arrays, objects and what JSON cannot say
// are arrays with a tag. Lone surrogates are \u escapes, which JSON.stringify writes by itself.
'use strict';

const EventEmitter = require('events');
const querystring = require('querystring');
const readline = require('readline');
const vm = require('vm');

const engine = require('engine.io-parser');
const socket = require('socket.io-parser');
const msgpack = require('socket.io-msgpack-parser');
const notepack = require('notepack.io');
const redisAdapter = require('socket.io-redis');
const redisEmitter = require('socket.io-emitter');
const modern = require('module').createRequire(require.resolve('socket.io-4.8'));
const engine4 = modern('engine.io-parser');
const socket5 = modern('socket.io-parser');
const jsonpClient = clientTransport();
const jsonpServer = require('engine.io/lib/transports/polling-jsonp');

const operations = {
  // A packet is {type, data}; an answer is what the callback got up to the first error.
  encodeTextPayload: (packets) => Buffer.from(encodePayload(packets, false), 'utf8'),
  encodeBinaryPayload: (packets) => encodePayload(packets, true),
  decodeTextPayload: (text) => decodePayload(text),
  // As a body arrives: bytes, which the server reads as UTF-8.
  decodeTextBody: (body) => decodePayload(body.toString('utf8')),
  decodeBinaryPayload: (body) => decodePayload(body),

  encodeText: (packet) => encodePacket(packet, false),
  encodeBinary: (packet) => encodePacket(packet, true),
  decodePacket: (data) => outcome(engine.decodePacket(data)),

  // What a browser posts for a payload, and what the server makes of a body.
  encodeJsonpForm: (payload) => new URLSearchParams({ d: jsonpClient(payload) }).toString(),
  decodeJsonpForm: (body) => {
    const seen = [];
    const onPacket = (packet) => seen.push(outcome(packet));
    const onClose = () => seen.push(['packet', 'close', '']);
    jsonpServer.prototype.onData.call({ onPacket, onClose }, body);
    return seen;
  },
  // The body that the server sends, and what the callback of a page hears of one.
  encodeJsonp: (j, payload) => {
    let body;
    const transport = Object.create(jsonpServer.prototype);
    jsonpServer.call(transport, { _query: { j } });
    transport.headers = () => ({});
    transport.res = { writeHead() {}, end: (script) => { body = script; } };
    transport.doWrite(payload, {}, () => {});
    return Buffer.from(body, 'utf8');
  },
  runJsonp: (index, script) => {
    const heard = [];
    vm.runInNewContext(script, { ___eio: { [index]: (text) => heard.push(text) } });
    return heard;
  },
  // Engine.IO 4 and Socket.IO 5, of socket.io 4.8.
  encodePayload4: (packets) => {
    let payload;
    engine4.encodePayload(packets, (result) => { payload = result; });
    return Buffer.from(payload, 'utf8');
  },
  // As a body arrives: bytes, which the server reads as UTF-8.
  decodePayload4: (body) => engine4.decodePayload(body.toString('utf8')).map(outcome),
  encodeFrame4: (packet) => {
    let frame;
    engine4.encodePacket(packet, true, (result) => { frame = result; });
    return frame;
  },
  decodeFrame4: (frame) => outcome(engine4.decodePacket(frame)),
  encodeSocketPacket5: (packet) => new socket5.Encoder().encode(packet),
  decodeSocketMessages5: (messages) => decodeSocket(socket5, messages),

  parseQuery: (query) => Object.assign({}, querystring.parse(query)),

  encodeSocketPacket: (packet) => encodeSocket(socket, packet),
  decodeSocketMessages: (messages) => decodeSocket(socket, messages),
  encodeMsgpackPacket: (packet) => encodeSocket(msgpack, packet),
  decodeMsgpackMessages: (messages) => decodeSocket(msgpack, messages),
  numberName: (number) => String(number),

  encodeNotepack: (value) => notepack.encode(value),
  decodeNotepack: (message) => notepack.decode(message),
  // What a server publishes for a broadcast, and what its own client gets.
  publishBroadcast: (name, packet, options) => {
    const { adapter, published, received } = clusterAdapter(name, 'a-room');
    adapter.broadcast(packet, options);
    return [adapter.uid, ...published[0], received];
  },
  // What the client of a server gets for a message of another one.
  receiveBroadcast: (name, room, channel, message) => {
    const { adapter, received } = clusterAdapter(name, room);
    adapter.subClient.emit('pmessageBuffer', Buffer.from(`${adapter.channel}*`), channel, message);
    return received;
  },
  // What an emitter publishes: steps are [method or flag, arguments].
  emitterPublishes: (key, steps) => {
    const published = [];
    const client = { hset() {}, publish: (...message) => published.push(message) };
    let emitter = redisEmitter(client, { key });
    for (const [name, ...values] of steps) {
      emitter = typeof emitter[name] === 'function' ? emitter[name](...values) : emitter[name];
    }
    return published;
  },
};

// A server's adapter, whose one client is in a room; and what it publishes and its client gets.
function clusterAdapter(name, room) {
  const published = [];
  const received = [];
  const pubClient = new EventEmitter();
  pubClient.publish = (channel, message) => published.push([channel, message]);
  const subClient = new EventEmitter();
  subClient.psubscribe = subClient.subscribe = () => {};
  const Adapter = redisAdapter({ pubClient, subClient });
  const connected = {
    me: { packet: (messages, { volatile, compress }) => received.push([messages, volatile, compress]) },
  };
  const adapter = new Adapter({ name, connected, server: { encoder: new socket.Encoder() } });
  adapter.addAll('me', ['me', room]);
  return { adapter, published, received };
}

function encodeSocket(parser, packet) {
  let messages;
  new parser.Encoder().encode(packet, (list) => { messages = list; });
  return messages;
}

// The outcome of each message up to the first error: a packet, 'pending' or an error.
function decodeSocket(parser, messages) {
  const decoder = new parser.Decoder();
  const outcomes = [];
  let packet;
  decoder.on('decoded', (decoded) => { packet = decoded; });
  for (const message of messages) {
    packet = null;
    try {
      // The engine gives an empty message to the decoder as `undefined`.
      decoder.add(message === '' ? undefined : message);
    } catch (error) {
      outcomes.push(['error', error.message]);
      break;
    }
    outcomes.push(packet ? socketOutcome(packet) : ['pending']);
  }
  return outcomes;
}

function encodePacket(packet, supportsBinary) {
  let encoded;
  engine.encodePacket(packet, supportsBinary, false, (result) => { encoded = result; });
  return encoded;
}

function encodePayload(packets, supportsBinary) {
  let payload;
  const encode = supportsBinary ? engine.encodePayloadAsBinary : engine.encodePayload;
  const done = (result) => { payload = result; };
  if (supportsBinary) encode(packets, done);
  else encode(packets, false, done);
  return payload;
}

function decodePayload(payload) {
  const seen = [];
  engine.decodePayload(payload, (packet) => {
    if (seen.length === 0 || seen[seen.length - 1][0] !== 'error') seen.push(outcome(packet));
  });
  return seen;
}

function outcome(packet) {
  if (packet.type === 'error') return ['error', packet.data];
  if (packet.type === undefined) return ['ignored'];
  return ['packet', packet.type, packet.data === undefined ? '' : packet.data];
}

function socketOutcome(packet) {
  if (packet.nsp === undefined) return ['ignored']; // of unknown type
  const id = packet.id === undefined ? null : packet.id;
  const data = packet.data === undefined ? null : packet.data;
  return ['packet', packet.type, packet.nsp, data, id];
}

// The browser's transport, with the little of a document that it touches before it submits.
function clientTransport() {
  const Transport = require('engine.io-client/lib/transports/polling-jsonp');
  global.document = { createElement: () => ({ attachEvent: true }) };
  return (payload) => {
    const form = { appendChild() {}, removeChild() {}, submit() {} };
    const transport = { form, area: {}, uri: () => '/' };
    Transport.prototype.doWrite.call(transport, payload, () => {});
    return transport.area.value;
  };
}

function unpack(value) {
  if (!Array.isArray(value)) return value;
  const [tag, content] = value;
  switch (tag) {
    case 'array': return content.map(unpack);
    case 'bytes': return Buffer.from(content, 'base64');
    case 'arraybuffer': return new Uint8Array(Buffer.from(content, 'base64')).buffer;
    case 'date': return new Date(content);
    case 'undefined': return undefined;
    case 'number': return Number(content);
    case 'object': return content.reduce(
      // As JSON.parse does it: also "__proto__" becomes a property.
      (object, [key, inner]) => Object.defineProperty(object, key, {
        value: unpack(inner), configurable: true, enumerable: true, writable: true,
      }), {});
    default: throw new Error(`unknown tag ${tag}`);
  }
}

function pack(value, depth = 0) {
  if (depth > 100) return '…'; // deeper than anybody looks, and than the stack
  if (typeof value === 'number' && !Number.isFinite(value)) return ['number', String(value)];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return value;
  if (value instanceof Date) return ['date', value.getTime()];
  if (value instanceof ArrayBuffer) return pack(Buffer.from(value));
  if (Buffer.isBuffer(value)) return ['bytes', value.toString('base64')];
  if (Array.isArray(value)) return ['array', value.map((inner) => pack(inner, depth + 1))];
  return ['object', Object.entries(value).map(([key, inner]) => [key, pack(inner, depth + 1)])];
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [name, ...requests] = JSON.parse(line);
  const answers = requests.map((request) => operations[name](...unpack(request)));
  process.stdout.write(`${JSON.stringify(pack(answers))}\n`);
});
