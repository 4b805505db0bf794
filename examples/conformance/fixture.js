// The application that `trio-sio conformance` needs, on socket.io 2.x:
//
//     npm install socket.io@2.5.1
//     node fixture.js 3000
"use strict";

const http = require("http").createServer();
const io = require("socket.io")(http, {
  pingInterval: 1000,
  pingTimeout: 1000,
  maxHttpBufferSize: 100000,
});

function serve(namespace) {
  namespace.on("connection", (socket) => {
    socket.on("echo", (...args) => socket.emit("echo", ...args));
    socket.on("ack", (...args) => args.pop()(...args));
    socket.on("ask", (...args) =>
      socket.emit("question", ...args, (...answer) => socket.emit("answered", ...answer)),
    );
    socket.on("burst", (count) => {
      for (let number = 0; number < count; number++) socket.emit("number", number);
    });
    socket.on("join", (room, ack) => socket.join(room, () => ack()));
    socket.on("leave", (room, ack) => socket.leave(room, () => ack()));
    socket.on("tell", (room, ...args) => namespace.to(room).emit("told", ...args));
    socket.on("tell others", (room, ...args) => socket.to(room).emit("told", ...args));
    socket.on("token", (ack) => ack(socket.handshake.query.token || null));
    socket.on("kick", () => socket.disconnect());
    socket.on("close", () => socket.disconnect(true));
  });
}

serve(io.of("/"));
serve(io.of("/chat"));
serve(
  io.of("/private").use((socket, next) => {
    next(socket.handshake.query.token === "secret" ? undefined : new Error("not authorized"));
  }),
);

http.listen(Number(process.argv[2] || 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
