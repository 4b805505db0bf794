"""A page, and everybody who has it open: what one of them says, all can read."""

import trio_sio

PAGE = b"""<!doctype html>
<ul></ul>
<form><input placeholder="Say something" autofocus></form>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io(), input = document.querySelector("input");
  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    socket.emit("say", input.value);
    input.value = "";
  };
  socket.on("said", (text) => {
    const line = document.createElement("li");
    line.textContent = text;
    document.querySelector("ul").append(line);
  });
</script>
"""


async def page(request):
    return trio_sio.Response(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)


io = trio_sio.Server(fallback=page)


@io.on("say")
async def say(socket, text):
    await io.emit("said", text)


if __name__ == "__main__":
    trio_sio.run(io, port=3000, host="127.0.0.1")  # open it in two windows; Ctrl-C ends it
