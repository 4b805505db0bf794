"""One cluster with other servers through Redis, in the format of socket.io-redis 5.4.

adapter          `RedisAdapter`: makes the adapters, and runs what they share
broker           what the adapters of the namespaces see of it
health           what is wrong, and what was missed
journal          what is written to the log, and counted
link             connections: URL, log-in, commands and replies
options          what it can be told
probes           announce this server, prove that it hears, and know the others
publisher        sends
subscriber       hears
subscriptions    what is wanted, asked for and confirmed
"""

from trio_sio.adapters.redis.adapter import RedisAdapter as RedisAdapter
from trio_sio.adapters.redis.health import Gap as Gap
from trio_sio.adapters.redis.options import RedisOptions as RedisOptions
from trio_sio.adapters.redis.probes import Node as Node
