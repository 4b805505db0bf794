// Emits into a cluster from outside: socket.io-emitter 3.2.0, which obeys a test.
// `node cluster_emitter.js '{"url", "key"}'` tells "ready".
'use strict';

const redis = require('redis');
const emitter = require('socket.io-emitter');

const { obey, tell } = require('./orders');

const { url, key } = JSON.parse(process.argv[2]);
const client = redis.createClient(url, { retry_strategy: () => 100 });
client.on('error', () => {}); // it is connected again
const io = emitter(client, { key });

function emit({ namespace = '/', rooms = [], flags = {} }, event, ...args) {
  let target = io.of(namespace);
  for (const room of rooms) target = target.to(room);
  for (const flag of Object.keys(flags)) target = target[flag];
  target.emit(event, ...args);
}

client.once('ready', () => tell('ready'));
obey({
  emit,
  burst(target, event, start, count) {
    for (let number = start; number < start + count; number++) emit(target, event, number);
  },
});
