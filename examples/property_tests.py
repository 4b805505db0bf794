"""Property tests of the protocol: no event loop, no sockets, any order, any pace."""

from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trio_sio.protocol.engineio import state as eio
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.testing import strategies as sio


@given(sio.socketio_packets())
def test_what_is_encoded_is_decoded(packet):
    decoder = Decoder()
    assert [decoder.feed(message) for message in encode(packet)][-1] == packet


class Session(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now, self.owed = 0.0, 0
        self.session = eio.SessionState(interval=25, timeout=5, now=self.now)

    @rule(kind=st.sampled_from(eio.EnginePacketType), data=st.text(max_size=3))
    def client_sends(self, kind, data):
        was = self.session.state
        try:
            replies = self.session.receive(eio.EnginePacket(kind, data), self.now)
        except eio.RemoteProtocolError:
            assert self.session.state is was  # what is refused changes nothing
        else:
            self.owed += (kind is eio.EnginePacketType.PING) - len(replies)

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds):
        self.now += seconds
        self.session.tick(self.now)

    @invariant()
    def pings_are_answered_and_the_end_has_a_reason(self):
        closed = self.session.state is eio.State.CLOSED
        assert self.owed == 0
        assert closed == (self.session.reason is not None)
        assert closed or self.session.deadline > self.now


TestSession = Session.TestCase
