"""An event that each of several sockets of this server is to answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from trio_sio.abc import AnswerCollector, AwaitedAnswer, Recipient, SocketId
from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import LimitReached
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON, Packet


class _Answer(AwaitedAnswer):
    """The answer of one socket, on its way to a collector."""

    __slots__ = ("_answers", "_name")

    def __init__(self, answers: AnswerCollector, name: SocketId) -> None:
        self._answers = answers
        self._name = name

    def fill(self, args: list[JSON]) -> None:
        self._answers.take(self._name, args)

    def close(self, reason: DisconnectReason | None) -> None:
        self._answers.drop(self._name)


@contextmanager
def asked(
    sockets: Mapping[SocketId, Recipient],
    item: Encoded,
    ack_id: int,
    answers: AnswerCollector,
    *,
    volatile: bool,
    watched: Packet | None = None,
) -> Iterator[int]:
    """Ask sockets, and forget at the end what they have not answered.

    Args:
        sockets: by their ids.
        item: the event, with the id.
        ack_id: the id.
        answers: is told who is asked, who answers and who has left.
        volatile: skip those that cannot take the event at this moment.
        watched: the event, if the sockets are to tell those who watch.

    Yields:
        How many are asked.
    """
    waiting: dict[SocketId, Recipient] = {}
    try:
        for name, socket in sockets.items():
            answer = _Answer(answers, name)
            try:
                if not socket.expect_answer(ack_id, answer):
                    continue  # it is about to leave
            except LimitReached:  # it answers too slowly for one more
                answers.expect(name)
                answers.give_up(name)
                continue
            waiting[name] = socket
            answers.expect(name)
            if not volatile:
                if watched is not None:
                    socket.notify_outgoing(watched.event, watched.args)
                socket.deliver(item)
            elif not socket.deliver_volatile(item):
                del waiting[name]
                socket.forget_answer(ack_id)
                answers.drop(name)
            elif watched is not None:
                socket.notify_outgoing(watched.event, watched.args)
        yield len(waiting)
    finally:
        for socket in waiting.values():
            socket.forget_answer(ack_id)
