"""The real compiler accepts right uses of the types, and reports each wrong one."""

import re
import subprocess
from pathlib import Path
from typing import TypedDict

import pytest

import trio_sio
from tests.contract import shop
from trio_sio.contract import typescript
from trio_sio.contract.collection import collect

MODULES = Path(__file__).parents[1] / "javascript" / "node_modules"

USES = """\
import io = require("socket.io-client");
import { AdminSocket, Order, RootSocket } from "./shop";

const socket = io("http://localhost:3000") as unknown as RootSocket;
const admin = io("http://localhost:3000/admin") as unknown as AdminSocket;
const order: Order = { item: "tea", address: { street: "x" }, prices: { tea: 1 } };

socket.emit("order", order);
socket.emit("order", order, "soon");
socket.emit("order", order, "soon", (number, item) => { number.toFixed(); item.trim(); });
socket.emit("price", "tea", price => price.toFixed());
socket.emit("numbers", 1, 2, 3);
socket.emit("untyped", { any: ["thing"] });
socket.on("sold", (item, pieces) => { item.trim(); pieces.toFixed(); });
socket.on("sure?", (question, answer) => answer(question === ""));
socket.on("connect", () => {});
socket.once("sold", () => {});
socket.close();
admin.emit("upload", new ArrayBuffer(3), size => size);
admin.emit("tree", { children: [{ children: [] }] });

socket.emit("order", { item: "milk" });  // WRONG
socket.emit("order");  // WRONG
socket.emit("order", order, 1);  // WRONG
socket.emit("order", { item: "tea", address: {} });  // WRONG
socket.emit("price", 1);  // WRONG
socket.emit("price", "tea", (price: string) => {});  // WRONG
socket.emit("numbers", 1, "2");  // WRONG
socket.emit("oder", order);  // WRONG
socket.emit("upload", new ArrayBuffer(3));  // WRONG
socket.on("sold", (item: number) => {});  // WRONG
socket.on("solt", () => {});  // WRONG
socket.on("sure?", (question, answer) => answer("yes"));  // WRONG
admin.emit("tree", { children: [1] });  // WRONG
"""


def compiled(folder: Path, uses: str) -> str:
    """Return what the compiler says of a file beside others in a folder."""
    (folder / "uses.ts").write_text(uses, "utf-8")
    (folder / "node_modules").symlink_to(MODULES)
    command = ["node", str(MODULES / "typescript" / "lib" / "tsc.js"), "--noEmit", "--strict"]
    command += ["--module", "commonjs", "--target", "es2020", "--types", "socket.io-client"]
    return subprocess.run(
        [*command, "uses.ts"], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.node
def test_the_compiler_finds_each_mistake_and_nothing_else(tmp_path: Path) -> None:
    contract = collect(shop.io, [shop.price, shop.sold, shop.sure], typescript.REF)
    (tmp_path / "shop.ts").write_text(typescript.write(contract), "utf-8")
    output = compiled(tmp_path, USES)
    reported = re.findall(r"^(\S+)\((\d+),", output, re.MULTILINE)
    found = {(name, int(line)) for name, line in reported}
    lines = enumerate(USES.splitlines(), 1)
    assert found == {("uses.ts", n) for n, line in lines if "// WRONG" in line}, output


class Answer(TypedDict):
    """Has the name of a type that is there already."""

    text: str


class RootSocket(TypedDict):
    """As a namespace's own would be called."""

    number: int


ALIKE = ["/", "/root", "/a-b", "/aB", "/a/b", "/1", "/2", "/*/"]


def alike() -> str:
    io = trio_sio.Server()

    async def ask(socket: trio_sio.Socket, other: RootSocket) -> Answer:
        raise NotImplementedError

    for name in ALIKE:
        io.of(name).on("ask", ask)
    return typescript.write(collect(io, [], typescript.REF))


def test_no_name_is_given_twice() -> None:
    names = re.findall(r"^(?:export )?(?:type|interface) (\w+)", alike(), re.MULTILINE)
    assert len(names) == len(set(names))
    assert {"Answer_", "RootSocket"} < set(names)
    assert sum(name.endswith("FromClient") for name in names) == len(ALIKE)


@pytest.mark.node
def test_the_compiler_takes_names_that_are_alike(tmp_path: Path) -> None:
    (tmp_path / "alike.ts").write_text(alike(), "utf-8")
    uses = 'import { Answer_, RootSocket } from "./alike";\nconst one: Answer_ = { text: "x" };\n'
    assert compiled(tmp_path, f"{uses}export const two: RootSocket = {{ number: 1 }};\n") == ""


def test_comments_end_where_they_should() -> None:
    contract = collect(shop.io, [shop.sold], typescript.REF)
    assert "/** Somebody has bought something. * / */\n" in typescript.write(contract)
