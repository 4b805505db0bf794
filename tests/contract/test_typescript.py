"""The real compiler accepts right uses of the types, and reports each wrong one."""

import re
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import pytest

import trio_sio
from tests.contract import shop
from trio_sio.contract import typescript
from trio_sio.contract.collection import collect

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "tests" / "javascript" / "node_modules"

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


def mistakes(folder: Path, uses: str) -> set[int]:
    """The lines of a file that the compiler complains of, and no other file's."""
    output = compiled(folder, uses)
    reported = re.findall(r"^(\S+)\((\d+),", output, re.MULTILINE)
    assert {name for name, _ in reported} <= {"uses.ts"}, output
    return {int(line) for _, line in reported}


@pytest.mark.node
def test_the_compiler_finds_each_mistake_and_nothing_else(tmp_path: Path) -> None:
    contract = collect(shop.io, [shop.price, shop.sold, shop.sure], typescript.REF)
    (tmp_path / "shop.ts").write_text(typescript.write(contract), "utf-8")
    lines = enumerate(USES.splitlines(), 1)
    assert mistakes(tmp_path, USES) == {n for n, line in lines if "// WRONG" in line}


def sample() -> str:
    """The TypeScript of the guide."""
    text = (ROOT / "docs" / "guide" / "types.md").read_text("utf-8")
    (found,) = re.findall(r"^```ts\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.node
def test_the_sample_of_the_guide(tmp_path: Path) -> None:
    """With the events of the program above it."""
    where = "examples.checked_arguments:io"
    types = str(tmp_path / "events.ts")
    contract = [sys.executable, "-m", "trio_sio", "contract", where, "--typescript", types]
    subprocess.run(contract, cwd=ROOT, check=True)
    lines = enumerate(sample().splitlines(), 1)
    wrong = {n for n, line in lines if "// an error of the compiler" in line}
    assert len(wrong) == 1
    assert mistakes(tmp_path, sample()) == wrong


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
