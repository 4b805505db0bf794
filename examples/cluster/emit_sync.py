"""The same without an event loop: from a view of Django or Flask, a task of Celery, a script."""

import os

from trio_sio.emitter import SyncRedisEmitter

emitter = SyncRedisEmitter(os.environ.get("REDIS_URL", "redis://localhost:6379"))


def brew(cups):  # a view, a task
    emitter.to("tea").emit("said", "Tea is ready.")
    emitter.of("/admin").emit("done", {"cups": cups})


if __name__ == "__main__":
    brew(4)
