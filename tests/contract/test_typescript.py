"""The real compiler accepts right uses of the types, and reports each wrong one."""

import re
import subprocess
from pathlib import Path

import pytest

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


@pytest.mark.node
def test_the_compiler_finds_each_mistake_and_nothing_else(tmp_path: Path) -> None:
    contract = collect(shop.io, [shop.price, shop.sold, shop.sure], typescript.REF)
    (tmp_path / "shop.ts").write_text(typescript.write(contract), "utf-8")
    (tmp_path / "uses.ts").write_text(USES, "utf-8")
    (tmp_path / "node_modules").symlink_to(MODULES)
    command = ["node", str(MODULES / "typescript" / "lib" / "tsc.js"), "--noEmit", "--strict"]
    command += ["--module", "commonjs", "--target", "es2020", "--types", "socket.io-client"]
    output = subprocess.run(
        [*command, "uses.ts"], cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout
    reported = re.findall(r"^(\S+)\((\d+),", output, re.MULTILINE)
    found = {(name, int(line)) for name, line in reported}
    lines = enumerate(USES.splitlines(), 1)
    assert found == {("uses.ts", n) for n, line in lines if "// WRONG" in line}, output


def test_comments_end_where_they_should() -> None:
    contract = collect(shop.io, [shop.sold], typescript.REF)
    assert "/** Somebody has bought something. * / */\n" in typescript.write(contract)
