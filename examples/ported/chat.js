// A chat with rooms on socket.io 2.5, to compare with chat.py, which is the same program.
const io = require('socket.io')({ pingInterval: 10000 });

io.use((socket, next) => {
  const { name } = socket.handshake.query;
  if (name === undefined) return next(new Error('who are you?'));
  socket.name = name;
  socket.room = null;
  next();
});

io.on('connection', (socket) => {
  setTimeout(() => socket.emit('reminder', 'be', 'kind'), 100);

  socket.on('enter', (room, answer) => {
    if (socket.room !== null) socket.leave(socket.room);
    socket.room = room;
    socket.join(room, () => {
      socket.to(room).emit('came', socket.name);
      answer({ room });
    });
  });

  socket.on('say', (text) => {
    io.to(socket.room).emit('said', socket.name, text);
  });

  socket.on('measure', (answer) => {
    const begun = Date.now();
    socket.emit('ping me', () => answer((Date.now() - begun) / 1000));
  });

  socket.on('disconnect', () => {
    io.to(socket.room).emit('went', socket.name);
  });
});

io.listen(process.env.PORT || 3000);
