"""Socket.IO on top of sessions: clients, namespaces, sockets, handlers.

A file imports only from files below it.

server_namespaces   what a server does with its namespaces
router, drain       one server: its namespaces and clients; closing them one after the other
client              one session: reads packets, applies the rate limit, routes
joining             the namespaces that one client joins and leaves, in order
pending_joins       those that it is about to join, and what each of them waits for
namespaces          the namespaces of a server: by name, and those made for the names of clients
lifecycle           the task of one socket: middleware, handlers, departure
namespace           a namespace, a dynamic namespace
socket              one client in one namespace, as the application sees it
traced              calling and handling for a socket whose calls are traced
addressee           a socket as an adapter sees it
dispatch, backlog   handling events; telling the application that a client falls behind
emitter             `emit`, `call` and their flags
any_handlers, any_outgoing   handlers of every event; telling them of what is sent
invocation          calling the application's functions, and settling what they raise
sender              the outgoing half of a socket
server_side, server_events   what servers tell each other, and who hears it
namespace_base      what a socket needs of its namespace
dialect             what differs between the clients of Socket.IO 2 and of 3 and 4
socket_handlers     handlers of one socket
namespace_handlers  handlers that take the socket as their first argument
method_handlers     `Handlers`: handlers as methods
inbox, background   the events that wait for a socket's task; the tasks that run beside it
acknowledgement, acks   the answer to an event of the client; the answers to ours
departures, order   which of a client's sockets leaves first; which handles its event first
hints               what is meant by methods that other servers have
arity               how many arguments handlers take
argument_check      whether what a client sends has the types that its handler takes
argument_types, conversion   what these types are; making values of them
adapter_life        the tasks of adapters that ask other servers
inbound_limits, rate_limit, limits, context    what a client may do; what a server's clients share
recovery            clients that lose their connection and come back
broadcast, handlers, handshake                 targets; registered functions; how a client came
room_calls, many_sockets   asking the sockets of a target, and moving them
room_answers, audience   what they answer; what a broadcast needs of its namespace
remote_socket       what is known of a socket of another server

The task of a client is its reader. It runs in the session's nursery together with one task for
each socket, and each socket has a nursery for handlers and for the application's own tasks.
"""
