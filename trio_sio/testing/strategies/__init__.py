"""Hypothesis strategies for what travels in Engine.IO 3 and Socket.IO 4, or 4 and 5.

They draw what clients of 1.x and 2.x send, and with `version=4` (of Engine.IO) or `protocol=5` (of
Socket.IO) what those of 3.x and 4.x do.

values          JSON values, and the names of namespaces, events and rooms
packets         packets of Engine.IO and Socket.IO
payloads        what one HTTP body carries: packets, and bodies of them in each encoding
conversations   conversations of several clients with the application for conformance tests
faults          what a network does to a client
scripts         scripts of clients that do anything
vocabulary      what they say, in each revision of the protocol
garbage         what nobody should send, and cuts of what is sent

What is drawn can be sent and comes back equal. That took decisions, each of which holds for all
strategies here:

* NaN and the infinities are not drawn unless asked for: JSON has no word for them, and both
  JavaScript and we write null.
* Lone surrogates are drawn in JSON, where they travel as escapes. They are not drawn in
  namespaces, in rooms and in Engine.IO text, where UTF-8 turns them into U+FFFD. Two surrogates
  that make a pair are drawn as the one character they are.
* Integers beyond 2**53 are drawn and come back exact; a JavaScript peer rounds them.
* A dict with `"_placeholder": True` is drawn, but not beside bytes: a decoder would take it for
  an attachment, so the encoder refuses it.
* `""` is an event name. Names that belong to the library are none.
* 0x1E is drawn in Engine.IO text, but not where packets of Engine.IO 4 are joined by it.
* The data of an ERROR is no number: behind a namespace, digits are an id.

What fails a test is made as simple as it can be: towards `null`, 0, `""`, the namespace "/", an
event named "a" and a single packet.
"""

from trio_sio.testing.strategies.conversations import (
    conversations as conversations,
    says as says,
)
from trio_sio.testing.strategies.faults import faults as faults
from trio_sio.testing.strategies.garbage import (
    chunks as chunks,
    garbage as garbage,
)
from trio_sio.testing.strategies.packets import (
    engineio_packets as engineio_packets,
    socketio_packets as socketio_packets,
)
from trio_sio.testing.strategies.payloads import (
    EncodedPayload as EncodedPayload,
    Encoding as Encoding,
    encoded_payloads as encoded_payloads,
    payloads as payloads,
)
from trio_sio.testing.strategies.scripts import scripts as scripts
from trio_sio.testing.strategies.values import (
    event_names as event_names,
    json_values as json_values,
    namespaces as namespaces,
    rooms as rooms,
)
