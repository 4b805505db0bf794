"""Socket.IO 4: packets, and the Engine.IO messages that carry them.

packet          packets, their types, reserved event names
encoder         packets to messages, in Socket.IO's own format
decoder         messages to packets, in the same format
codec_msgpack   both, in the format of socket.io-msgpack-parser 2.x
notepack        MessagePack as JavaScript writes and reads it
slow_notepack   the same value by value, for what the library msgpack does not do right
parser          the interface of encoders and decoders, and the choice of one
checks          what all parsers check
deep_json       JSON that is nested more deeply than the standard library reads
foreign         replaces values that have no form by what the application makes of them
unsendable      finds the value that an encoder cannot send
"""
