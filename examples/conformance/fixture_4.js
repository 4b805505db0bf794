// The application that `trio-sio conformance --protocol 5` needs, on socket.io 3.x or 4.x:
//
//     npm install socket.io@4.8.4
//     node fixture_4.js 3000
//
// A second number is the ping interval in seconds, a third argument the package.
"use strict";

const http = require("http").createServer();
const { Server } = require(process.argv[4] || "socket.io");
const io = new Server(http, {
  pingInterval: Number(process.argv[3] || 1) * 1000,
  pingTimeout: 1000,
  maxHttpBufferSize: 100000,
});

// Clients may ask for an acknowledgement where none is sent, and for none where one is.
const isFunction = (arg) => typeof arg === "function";
const values = (args) => args.filter((arg) => !isFunction(arg));
const answer = (ack) => (isFunction(ack) ? ack : () => {});
const token = (handshake) => handshake.auth.token || handshake.query.token || null;

function serve(namespace) {
  namespace.on("connection", (socket) => {
    socket.on("echo", (...args) => socket.emit("echo", ...values(args)));
    socket.on("ack", (...args) => answer(args.pop())(...args));
    socket.on("ask", (...args) =>
      socket.emit("question", ...values(args), (...got) => socket.emit("answered", ...got)),
    );
    socket.on("burst", (count) => {
      for (let number = 0; number < count; number++) socket.emit("number", number);
    });
    socket.on("join", (room, ack) => {
      socket.join(room);
      answer(ack)();
    });
    socket.on("leave", (room, ack) => {
      socket.leave(room);
      answer(ack)();
    });
    socket.on("tell", (room, ...args) => namespace.to(room).emit("told", ...values(args)));
    socket.on("tell others", (room, ...args) => socket.to(room).emit("told", ...values(args)));
    socket.on("token", (ack) => answer(ack)(token(socket.handshake)));
    socket.on("kick", () => socket.disconnect());
    socket.on("close", () => socket.disconnect(true));
  });
}

serve(io.of("/"));
serve(io.of("/chat"));
serve(
  io.of("/private").use((socket, next) => {
    next(token(socket.handshake) === "secret" ? undefined : new Error("not authorized"));
  }),
);

http.listen(Number(process.argv[2] || 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
