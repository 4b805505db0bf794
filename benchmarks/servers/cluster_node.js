// A node of a Socket.IO cluster on Node.js under load: `node cluster_node.js REDIS_URL`. Prints its
// port when Redis has confirmed its subscriptions.

const http = require("http").createServer();
const io = require("socket.io-2")(http, {
  serveClient: false,
  pingInterval: 3000000,
  pingTimeout: 60000,
  adapter: require("socket.io-redis")(process.argv[2]),
});

// What its documentation advises for many clients: forget the handshake request.
io.engine.on("connection", (session) => {
  session.request = null;
});

const name = (number) => `room-${number}`;

io.on("connection", (socket) => {
  socket.on("echo", (text) => socket.emit("echo", text));
  socket.on("join", (numbers, answer) => socket.join(numbers.map(name), () => answer()));
  socket.on("burst", (count, text) => {
    for (let i = 0; i < count; i++) io.emit("news", text);
  });
  socket.on("room burst", (rooms, count, text) => {
    for (let i = 0; i < count; i++) io.to(name(i % rooms)).emit("news", text);
  });
});

io.of("/").adapter.subClient.once("subscribe", () => {
  http.listen(0, "127.0.0.1", 4096, () => console.log(http.address().port));
});
