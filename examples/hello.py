"""A page, and everybody who has it open: what one of them says, all can read."""

import trio

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


async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(io.serve_tcp, 3000)
        print("Open http://localhost:3000 in two windows. Ctrl-C stops the server.")


if __name__ == "__main__":
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        pass
