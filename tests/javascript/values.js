// Values as one line of JSON can say them: bytes as {"$bytes": base64}, dates as
// {"$date": milliseconds}, errors as their message. `tests/support/peers.py` has the other end.
'use strict';

function pack(value) {
  if (value instanceof Error) return value.message;
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof ArrayBuffer) return pack(Buffer.from(value));
  if (Buffer.isBuffer(value)) return { $bytes: value.toString('base64') };
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pack(inner)]));
}

function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== 'object' || value === null) return value;
  if ('$date' in value) return new Date(value.$date);
  if ('$bytes' in value) return Buffer.from(value.$bytes, 'base64');
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
}

module.exports = { pack, unpack };
