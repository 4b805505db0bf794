"""The honest clients, a process: `python -m tests.hostile.chat PORT CLIENTS MESSAGES RATE VERSION`.

They join a room, print "here", and chat when told so by a line on standard input: each message
has its sender and its number, and each client checks that it gets those of every sender in their
order, none twice and none missing. At the end it prints as JSON what went wrong, and how long the
deliveries took.
"""

import json
import selectors
import statistics
import sys
import time
from collections import deque

from tools.load.clients import PATIENCE, READ_SIZE, Client, masked

PING_EVERY = 1.0


class Member:
    """One honest client.

    Attributes:
        next: by sender, the number of the message that has to come next.
        wrong: what should not have come.
        delays: seconds that each message took from the moment it was due.
    """

    def __init__(self, port: int, version: int, number: int, members: int) -> None:
        self.number = number
        self.next = [0] * members
        self.wrong: list[str] = []
        self.delays: list[float] = []
        self.sent = 0
        self._version = version
        client = Client(port, version)
        client.join()
        client.socket.sendall(masked('427["join"]'))
        assert client.read_message().startswith("437")
        self.socket = client.socket
        self.socket.setblocking(False)
        self._buffer = b""

    def say(self, due: float) -> None:
        """Send the next message.

        Args:
            due: when it should have been sent.
        """
        text = f"{self.number}:{self.sent}:{due:.6f}"
        self.socket.sendall(masked(f'42["room burst",1,"{text}"]'))
        self.sent += 1

    def ping(self) -> None:
        """Be heard; in Engine.IO 4 it is the server that pings."""
        if self._version == 3:
            self.socket.sendall(masked("2"))

    def receive(self) -> int:
        """Read and check what has come; return how many messages of its own were among it."""
        data = self.socket.recv(READ_SIZE)
        if not data:
            raise RuntimeError(f"client {self.number} was thrown out")
        self._buffer += data
        own, now, position, buffer = 0, time.perf_counter(), 0, self._buffer
        while len(buffer) - position >= 2:
            length = buffer[position + 1]
            stop = position + 2 + length
            if len(buffer) < stop:
                break
            text = buffer[position + 2 : stop].decode()
            position = stop
            if text.startswith('42["news","'):
                own += self._check(text[11:-2], now)
            elif text == "2":
                self.socket.sendall(masked("3"))
            elif text != "3":
                raise RuntimeError(f"client {self.number} was sent {text!r}")
        self._buffer = buffer[position:]
        return own

    def _check(self, text: str, now: float) -> bool:
        sender, number, due = text.split(":")
        expected = self.next[int(sender)]
        if int(number) != expected:
            self.wrong.append(f"{self.number} got {sender}:{number} in place of {expected}")
        self.next[int(sender)] = int(number) + 1
        self.delays.append(now - float(due))
        return int(sender) == self.number


class Room:
    """All honest clients.

    Args:
        members: who chats.
        messages: how many each of them sends.
    """

    def __init__(self, members: list[Member], messages: int) -> None:
        self._members = members
        self._messages = messages
        self._selector = selectors.DefaultSelector()
        self._left = len(members) * len(members) * messages
        for member in members:
            self._selector.register(member.socket, selectors.EVENT_READ, member)

    def wait_for_order(self) -> None:
        """Stay alive until there is a line on standard input."""
        self._selector.register(sys.stdin, selectors.EVENT_READ, None)
        pinged = 0.0
        while True:
            if time.perf_counter() - pinged > PING_EVERY:
                pinged = time.perf_counter()
                for member in self._members:
                    member.ping()
            for key, _ in self._selector.select(PING_EVERY / 2):
                if key.data is None:
                    sys.stdin.readline()
                    self._selector.unregister(sys.stdin)
                    return
                key.data.receive()

    def chat(self, rate: float) -> None:
        """Send everything and wait for it to arrive.

        Args:
            rate: messages in a second, of all members together; 0 has each of them send its next
                message when the one before has come back.
        """
        begun = heard = time.perf_counter()
        turns: deque[Member] = deque(self._members * self._messages) if rate else deque()
        due = begun
        for member in self._members if not rate else ():
            member.say(begun)
        while self._left:
            while turns and due <= time.perf_counter():
                turns.popleft().say(due)
                due += 1 / rate
            wait = max(0.0, due - time.perf_counter()) if turns else 1.0
            for key, _ in self._selector.select(wait):
                heard = time.perf_counter()
                self._hear(key.data, paced=bool(rate))
            if time.perf_counter() - heard > PATIENCE:
                return

    def _hear(self, member: Member, *, paced: bool) -> None:
        before = len(member.delays)
        own = member.receive()
        self._left -= len(member.delays) - before
        if own and not paced and member.sent < self._messages:
            member.say(time.perf_counter())

    def report(self) -> dict[str, object]:
        """Return what was lost, what was wrong, and the delays in ms."""
        members, messages = self._members, self._messages
        delays = sorted(delay for member in members for delay in member.delays)
        cut = statistics.quantiles(delays, n=100) if len(delays) > 1 else [0.0] * 99
        return {
            "delivered": len(delays),
            "missing": sum(messages - number for one in members for number in one.next),
            "wrong": [text for one in members for text in one.wrong],
            "p50": cut[49] * 1e3,
            "p99": cut[98] * 1e3,
            "max": max(delays, default=0.0) * 1e3,
        }


def tell(line: str) -> None:
    """Say something to whoever has started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(port: int, clients: int, messages: int, rate: float, version: int) -> None:
    """Join, chat when told, report."""
    room = Room([Member(port, version, number, clients) for number in range(clients)], messages)
    tell("here")
    room.wait_for_order()
    room.chat(rate)
    tell(json.dumps(room.report()))


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
