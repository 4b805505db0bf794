"""Several processes that share a port, one for each processor: `trio_sio.workers.run`.

launch       `run`: checks what it is asked for, opens the sockets and starts the parent's work
supervisor   the parent: starts workers, restarts those that die, forwards signals
slot         the place of one worker, as the parent sees it
restarts     when a worker that died is started again, and when there is no point
child        one worker's process: how it is forked, how it lives and ends
worker       `Worker`: what the application's `main` gets
balance      a listener on the shared port that leaves connections to workers that have fewer
sockets      the sockets on which the workers listen

The parent is plain synchronous code without Trio, threads or clients: it does nothing but wait for
signals and for its children, so that there is little in it that could fail. It forks, for three
reasons: `main` may be any function, with whatever it closes over; a worker starts within
milliseconds, and shares the memory of what was imported before; and the sockets need no
passing on. The price is that a restarted worker has the code that was imported before the fork, and
that nothing which does not survive a fork (threads, a running event loop, open connections) may be
made before `run`. This is for Linux and other Unix systems; Windows has no fork.
"""

from trio_sio.workers.launch import run as run
from trio_sio.workers.sockets import open_sockets as open_sockets
from trio_sio.workers.supervisor import WorkersFailed as WorkersFailed
from trio_sio.workers.worker import Worker as Worker
