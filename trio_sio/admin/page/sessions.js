// The sessions that are here: a table, and the details of one in a dialog.
import { ago, bytes, clock, confirmIn, make, number, Table, write } from "./dom.js";

export class Sessions {
  constructor(ask, root, packets) {
    this.ask = ask;
    this.root = root;
    this.packets = packets;
    this.readOnly = false;
    this.order = { sort: "since", descending: true };
    this.filter = make("input", { type: "search", class: "session-filter", maxlength: "100", oninput: () => ask("filter", this.filter.value) });
    this.count = make("p", { class: "muted" });
    this.table = new Table("Sessions that are here", [
      { label: "Session", text: (row) => `${row.number} ${row.id}`, sort: "id", press: (row) => this.open(row.number), name: (row) => `Details of session ${row.number} ${row.id}` },
      { label: "Address", text: (row) => row.address, sort: "address" },
      { label: "Transport", text: (row) => row.transport + (row.upgraded ? " (upgraded)" : ""), sort: "transport" },
      { label: "Client", text: (row) => (row.protocol === 3 ? "Socket.IO 2.x" : "Socket.IO 3.x, 4.x"), sort: "protocol" },
      { label: "Since", text: (row) => clock(row.since), sort: "since", numeric: true },
      { label: "Heard", text: (row) => `${ago(row.heard)} ago`, sort: "heard", numeric: true },
      { label: "Packets queued", text: (row) => number(row.queued), sort: "queued", numeric: true },
      { label: "Queue", text: (row) => bytes(row.bytes), sort: "bytes", numeric: true },
      { label: "Peak", text: (row) => bytes(row.peak), sort: "peak", numeric: true },
      { label: "State", text: (row) => (row.behind ? "behind" : "up to date") },
      { label: "Namespaces", text: (row) => row.namespaces.join(" ") },
      { label: "Rooms", text: (row) => row.rooms, numeric: true },
    ], { key: (row) => row.number, empty: "No sessions." });
    this.table.onsort = (column) => this.sort(column.sort);
    this.table.sorted(this.order.sort, true);
    this.element = make("div", { class: "sessions" },
      make("div", { class: "bar" }, make("label", {}, "Filter by id, address or transport ", this.filter)),
      this.count, this.table.element);
  }

  resume() {
    this.ask("sort", this.order.sort, this.order.descending);
    if (this.filter.value) this.ask("filter", this.filter.value);
  }

  sort(key) {
    const descending = this.order.sort === key ? !this.order.descending : true;
    this.order = { sort: key, descending };
    this.table.sorted(key, descending);
    this.ask("sort", key, descending);
  }

  show({ rows, found, all }) {
    this.table.show(rows);
    const some = found === all ? number(all) : `${number(found)} of ${number(all)}`;
    write(this.count, `${some} sessions${found > rows.length ? `; ${rows.length} are shown` : ""}.`);
  }

  async open(session) {
    const answer = await this.ask("session", session);
    const dialog = make("dialog", { class: "details", "aria-label": `Session ${session}` });
    const close = () => { dialog.close(); dialog.remove(); };
    const told = make("p", { role: "status" }, answer.error ?? null);
    dialog.append(make("h3", {}, `Session ${session}`));
    if (!answer.error) dialog.append(facts(answer), ...answer.sockets.map((one) => this.socket(session, one, told)));
    dialog.append(told, make("p", { class: "buttons" },
      make("button", { type: "button", class: "follow", onclick: () => { this.packets.watch(true, session); close(); } }, "Watch its packets"),
      this.readOnly ? null : make("button", { type: "button", class: "danger end", onclick: () => this.end(session, told) }, "Disconnect it"),
      make("button", { type: "button", class: "close", autofocus: true, onclick: close }, "Close")));
    dialog.addEventListener("cancel", close);
    this.root.append(dialog);
    dialog.showModal();
  }

  socket(session, { namespace, rooms, all }, told) {
    const more = all > rooms.length ? ` and ${number(all - rooms.length)} more` : "";
    const leave = async () => {
      if (!(await confirmIn(this.root, `Disconnect session ${session} from ${namespace}?`, "Disconnect"))) return;
      const answer = await this.ask("disconnect socket", session, namespace);
      write(told, answer.error ?? answer.done);
    };
    return make("p", {}, make("strong", {}, namespace), ` rooms: ${rooms.join(", ") || "none"}${more} `,
      this.readOnly ? null : make("button", { type: "button", onclick: leave }, `Disconnect from ${namespace}`));
  }

  async end(session, told) {
    if (!(await confirmIn(this.root, `Disconnect session ${session}? Its client may connect again.`, "Disconnect"))) return;
    const answer = await this.ask("disconnect session", session);
    write(told, answer.error ?? answer.done);
  }
}

function facts(row) {
  const limits = Object.entries(row.limits).map(([name, count]) => `${name}: ${count}`).join(", ");
  const pairs = [
    ["Id", row.id], ["Address", row.address], ["Transport", row.transport],
    ["Since", clock(row.since)], ["Last heard", `${ago(row.heard)} ago`],
    ["Queue", `${number(row.queued)} packets, ${bytes(row.bytes)}; at most ${bytes(row.peak)}`],
    ["Dropped", number(row.dropped)], ["Behind", row.behind ? "yes" : "no"], ["Limits reached", limits || "none"],
  ];
  return make("dl", {}, ...pairs.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, String(text))]));
}
