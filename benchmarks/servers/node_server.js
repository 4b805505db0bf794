// Socket.IO on Node.js under load: `node node_server.js 2|4`. Prints its port.

const http = require("http").createServer();
const io = require(`socket.io-${process.argv[2]}`)(http, {
  serveClient: false,
  pingInterval: 3000000,
  pingTimeout: 60000,
  maxHttpBufferSize: 1e8,
});
const blob = Buffer.alloc(65536, 1);

// What its documentation advises for many clients: forget the handshake request.
io.engine.on("connection", (session) => {
  session.request = null;
});

// For clients that ask for no answer: the exception would end the process.
const nobody = () => {};

io.on("connection", (socket) => {
  socket.on("echo", (text) => socket.emit("echo", text));
  socket.on("ask", (text, answer = nobody) => answer(text));
  socket.on("join", (answer = nobody) => {
    socket.join("room");
    answer();
  });
  socket.on("burst", (count, text) => {
    for (let i = 0; i < count; i++) io.emit("news", text);
  });
  socket.on("room burst", (count, text) => {
    for (let i = 0; i < count; i++) io.to("room").emit("news", text);
  });
  socket.on("blobs", (count) => {
    for (let i = 0; i < count; i++) io.emit("blob", blob);
  });
  socket.on("settle", (answer = nobody) => {
    global.gc();
    answer();
  });
});

http.listen(0, "127.0.0.1", 4096, () => console.log(http.address().port));
