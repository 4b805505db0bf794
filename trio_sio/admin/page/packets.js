// The packets, in and out: a bounded list that can be paused and filtered.
import { clock, make, number, Table, write } from "./dom.js";

const KEPT = 500;

/** ask(event, ...args) sends an order to the server, and resolves to its answer. */
export class Packets {
  constructor(ask) {
    this.ask = ask;
    this.kept = [];
    this.missed = 0;
    this.session = null;
    this.watching = false;
    this.paused = false;
    this.number = 0;
    this.toggle = make("button", { type: "button", "aria-pressed": "false", class: "watch", onclick: () => this.watch(!this.watching) }, "Watch packets");
    this.pause = make("button", { type: "button", "aria-pressed": "false", class: "pause", disabled: true, onclick: () => this.setPaused(!this.paused) }, "Pause");
    this.everybody = make("button", { type: "button", class: "everybody", hidden: true, onclick: () => this.watch(true, null) }, "Show all sessions");
    this.filter = make("input", { type: "search", class: "packet-filter", oninput: () => this.draw() });
    this.told = make("p", { class: "muted told" }, "Nobody watches packets from here.");
    this.table = new Table("Packets, the latest first", [
      { label: "Time", text: (row) => clock(row.at) },
      { label: "Session", text: (row) => row.number, numeric: true },
      { label: "Way", text: (row) => (row.in ? "in" : "out") },
      { label: "Transport", text: (row) => row.transport },
      { label: "Type", text: (row) => (row.kind === row.type ? row.type : `${row.type} ${row.kind}`) },
      { label: "What it says", text: (row) => row.text },
      { label: "Size", text: (row) => number(row.size), numeric: true },
    ], { key: (row) => row.key, empty: "No packets." });
    this.element = make("div", { class: "packets" },
      make("div", { class: "bar" }, this.toggle, this.pause, this.everybody, make("label", {}, "Filter ", this.filter)),
      this.told, this.table.element);
  }

  async watch(on, session = this.session) {
    const answer = await this.ask("watch packets", on, session);
    if (answer.error) return;
    this.watching = on;
    this.session = session;
    this.toggle.setAttribute("aria-pressed", String(on));
    this.pause.disabled = !on;
    this.everybody.hidden = session === null;
    this.tell();
  }

  setPaused(paused) {
    this.paused = paused;
    this.pause.setAttribute("aria-pressed", String(paused));
    this.draw();
  }

  /** After a reconnection the server knows nothing of what was watched. */
  resume() {
    if (this.watching) this.watch(true, null);
  }

  take({ rows, missed }) {
    for (const row of rows) this.kept.unshift({ ...row, key: this.number++ });
    this.kept.length = Math.min(this.kept.length, KEPT);
    this.missed += missed;
    this.draw();
  }

  draw() {
    if (this.paused) return;
    const wanted = this.filter.value.toLowerCase();
    const fits = (row) => `${row.type} ${row.kind} ${row.text} ${row.transport} ${row.in ? "in" : "out"}`.toLowerCase().includes(wanted);
    this.table.show(wanted ? this.kept.filter(fits) : this.kept);
    this.tell();
  }

  tell() {
    const whose = this.session === null ? "all sessions" : `session ${this.session}`;
    const missed = this.missed ? ` ${number(this.missed)} more came too fast to be shown.` : "";
    write(this.told, this.watching ? `Packets of ${whose}; the last ${KEPT} are kept.${missed}` : "Nobody watches packets from here.");
  }
}
