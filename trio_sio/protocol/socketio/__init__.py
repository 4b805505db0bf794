"""Socket.IO 4: packets with namespaces, acknowledgement ids and binary attachments."""
