"""Emitting from programs that are no servers, through Redis (JS: socket.io-emitter 3.2).

audience        whom an event is for, and the message for that
redis_emitter   `RedisEmitter`, for programs on Trio
pipeline        its connection to Redis
sync_emitter    `SyncRedisEmitter`, for programs that block
"""

from trio_sio.emitter.redis_emitter import (
    RedisEmitter as RedisEmitter,
    RedisTarget as RedisTarget,
)
from trio_sio.emitter.sync_emitter import (
    SyncRedisEmitter as SyncRedisEmitter,
    SyncTarget as SyncTarget,
)
