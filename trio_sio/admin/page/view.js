// The view "Under the hood", for this page and for others:
//
//     import { mount } from "/admin/view.js";
//     const view = mount(element, { namespace: "/admin", path: "/socket.io", auth: { token } });
//     view.unmount();
//
// It lives in a shadow root, so neither its style nor the page's reaches the other. It follows
// `data-theme` ("light" or "dark") of the page's root, else what the reader prefers. `transports` are
// those of the server, ["polling", "websocket"] by default. `auth` are
// values that the check on the server finds in `socket.handshake.auth`, by clients of each generation;
// they travel in a packet, not in a URL. `onHello` is called with `{title}` at each connection: it may
// be another server's than before.
import { Actions } from "./actions.js";
import { Charts } from "./charts.js";
import { ago, bytes, clock, make, number, section, Table, write } from "./dom.js";
import { Packets } from "./packets.js";
import { Sessions } from "./sessions.js";

const PATIENCE = 30_000;

export function mount(element, { namespace = "/admin", path = "/socket.io", auth = null, transports = ["polling", "websocket"], onHello = () => {} } = {}) {
  return new View(element, namespace, path, auth, transports, onHello);
}

class View {
  constructor(element, namespace, path, auth, transports, onHello) {
    this.namespace = namespace;
    this.path = path;
    this.auth = auth;
    this.transports = transports;
    this.onHello = onHello;
    this.asked = new Set(); // what fails an order that has no answer yet
    this.host = make("div", { class: "trio-sio-admin" });
    element.append(this.host);
    this.root = this.host.attachShadow({ mode: "open" });
    this.followTheme();
    this.build();
    this.start();
  }

  unmount() {
    this.themes.disconnect();
    this.socket?.disconnect();
    this.manager?.disconnect();
    this.host.remove();
  }

  followTheme() {
    const page = document.documentElement;
    const follow = () => {
      if (page.dataset.theme) this.host.dataset.theme = page.dataset.theme;
      else delete this.host.dataset.theme;
    };
    this.themes = new MutationObserver(follow);
    this.themes.observe(page, { attributes: true, attributeFilter: ["data-theme"] });
    follow();
  }

  build() {
    const ask = (...order) => this.ask(...order);
    this.state = make("p", { class: "state", role: "status" }, "Connecting …");
    this.token = make("input", { type: "password", autocomplete: "current-password", name: "token" });
    this.door = make("form", { class: "door", hidden: true, onsubmit: (event) => this.signIn(event) },
      make("label", {}, "Token ", this.token), make("button", { type: "submit" }, "Sign in"));
    this.charts = new Charts();
    this.packets = new Packets(ask);
    this.sessions = new Sessions(ask, this.root, this.packets);
    this.actions = new Actions(ask, this.root);
    this.tables = tables();
    this.tables.notes.element.className = "notes";
    this.tables.notes.element.setAttribute("aria-live", "polite");
    this.figures = make("p", { class: "figures" });
    this.health = make("p", { class: "health" });
    this.inside = make("div", { class: "inside", hidden: true },
      section("Now", this.charts.element, this.figures),
      section("Actions", this.actions.element, this.tables.notes.element),
      section("Sessions", this.sessions.element),
      section("Packets", this.packets.element),
      section("Ends of sessions", this.tables.ended.element),
      section("Limits, refusals and stalls", make("div", { class: "columns" },
        this.tables.limits.element, this.tables.refused.element, this.tables.stalls.element)),
      section("Namespaces, rooms and handlers", this.tables.namespaces.element),
      section("Cluster", this.health),
      section("Options that are not the defaults", this.tables.options.element));
    const style = make("link", { rel: "stylesheet", href: new URL("view.css", import.meta.url).href });
    this.root.append(style, make("div", { class: "view" }, this.state, this.door, this.inside));
  }

  async start() {
    try {
      await loadClient(this.path);
    } catch {
      this.tell("error", `The browser client could not be loaded from ${this.path}.`);
      return;
    }
    this.connect();
  }

  connect() {
    this.socket?.disconnect();
    this.manager?.disconnect();
    this.manager = new window.io.Manager(location.origin, { path: this.path, transports: this.transports });
    // A client of 2.x says it in the namespace's query, one of 3.x or 4.x in what it joins with.
    const auth = this.auth ?? {};
    const query = this.auth ? new URLSearchParams(auth).toString() : undefined;
    const socket = this.socket = this.manager.socket(this.namespace, { auth, query });
    socket.on("hello", (hello) => this.welcome(hello));
    socket.on("state", (state) => this.show(state));
    socket.on("packets", (batch) => this.packets.take(batch));
    socket.on("error", (reason) => this.refuse(reason));
    socket.on("connect_error", (error) => {
      // In 3.x and 4.x also what has been "error": the socket gives up then. Else it tries again.
      if (socket.active === false) this.refuse(error.message);
    });
    socket.on("disconnect", (reason) => this.leave(reason));
  }

  leave(reason) {
    for (const fail of this.asked) fail("The connection was lost before the answer came.");
    if (reason === "io client disconnect") return;
    this.tell("away", reason === "io server disconnect"
      ? "The server has disconnected this page; reload it to come back."
      : "The connection is lost; trying again …");
  }

  signIn(event) {
    event.preventDefault();
    this.auth = { token: this.token.value };
    this.token.value = "";
    this.connect();
  }

  refuse(reason) {
    this.tell("refused", typeof reason === "string" ? reason : "You may not see this.");
    this.inside.hidden = true;
    this.door.hidden = false;
  }

  welcome({ title, read_only: readOnly, actions, options }) {
    this.onHello({ title });
    this.tell("connected", readOnly ? "Connected. Nothing can be changed from here." : "Connected.");
    this.door.hidden = true;
    this.inside.hidden = false;
    this.sessions.readOnly = readOnly;
    this.actions.show(actions);
    this.tables.options.show(options);
    this.sessions.resume();
    this.packets.resume();
  }

  show({ figures, sessions, namespaces, ended, notes }) {
    this.charts.show(figures);
    this.sessions.show(sessions);
    this.tables.ended.show(ended);
    this.tables.notes.show(notes);
    this.tables.notes.element.hidden = !notes.length;
    this.tables.limits.show(counts(figures.limits));
    this.tables.refused.show(counts(figures.refused));
    this.tables.stalls.show(figures.recent_stalls);
    this.tables.namespaces.show(namespaces.rows);
    const shown = namespaces.all > namespaces.rows.length ? ` (${namespaces.rows.length} shown)` : "";
    const { 3: old, 4: recent } = figures.sessions_by_protocol;
    write(this.figures, [
      `${number(figures.connections)} connections`, `${number(old)} clients of 2.x`, `${number(recent)} of 3.x and 4.x`,
      `${number(figures.opened)} sessions so far`,
      `${number(figures.behind)} behind`, `${number(figures.dropped)} packets dropped`,
      `${number(namespaces.all)} namespaces${shown}`,
      `${number(figures.stalls)} stalls, ${figures.stalled.toFixed(1)} s together`,
    ].join(" · "));
    write(this.health, health(figures.adapter));
  }

  tell(state, text) {
    this.host.dataset.state = state;
    write(this.state, text);
  }

  /** Send an order, and return the server's answer; one that does not come is an error. */
  ask(event, ...args) {
    return new Promise((resolve) => {
      if (!this.socket?.connected) { resolve({ error: "There is no connection." }); return; }
      const settle = (answer) => { clearTimeout(timer); this.asked.delete(fail); resolve(answer); };
      const fail = (error) => settle({ error });
      const timer = setTimeout(() => fail("The server has not answered yet."), PATIENCE);
      this.asked.add(fail);
      this.socket.emit(event, ...args, (answer) => settle(answer ?? {}));
    });
  }
}

const counts = (table) => Object.entries(table).sort(([, a], [, b]) => b - a).map(([name, count]) => ({ name, count }));

function health(adapter) {
  const nodes = adapter.nodes === 1 ? "1 server" : `${number(adapter.nodes)} servers`;
  const well = adapter.healthy ? "All is well" : `Not well: ${adapter.problem}`;
  return `${well}. ${nodes}, ${number(adapter.published)} messages published, ${number(adapter.received)} received, `
    + `${number(adapter.dropped)} dropped, ${bytes(adapter.queued_bytes)} queued, ${number(adapter.gaps)} gaps.`;
}

function tables() {
  const ways = (rows) => rows.map((row) => `${row.name} (${number(row.sockets)})`).join(", ");
  const limit = (row) => (row.option ? `${row.option}: ${row.size ?? "?"} of ${row.limit ?? "?"}` : "");
  const count = (label, what) => new Table(label, [
    { label: what, text: (row) => row.name },
    { label: "Times", text: (row) => number(row.count), numeric: true },
  ], { key: (row) => row.name, empty: `${label}: none.` });
  return {
    ended: new Table("Ends of sessions, the latest first", [
      { label: "Session", text: (row) => `${row.number} ${row.id}` },
      { label: "At", text: (row) => clock(row.at) },
      { label: "Address", text: (row) => row.address },
      { label: "Transport", text: (row) => row.transport },
      { label: "Lasted", text: (row) => ago(row.lasted), numeric: true },
      { label: "Reason", text: (row) => row.reason },
      { label: "Why", text: (row) => row.text },
      { label: "Limit", text: limit },
      { label: "Silent for", text: (row) => (row.silent == null ? "" : ago(row.silent)), numeric: true },
      { label: "We stalled", text: (row) => (row.stalled ? ago(row.stalled) : ""), numeric: true },
    ], { key: (row) => row.number }),
    notes: new Table("Notes, the latest first", [
      { label: "At", text: (row) => clock(row.at) },
      { label: "What happened", text: (row) => row.text },
    ], { key: (row) => row.number }),
    limits: count("Limits reached", "Option"),
    refused: count("Refusals", "Kind"),
    stalls: new Table("Stalls of the event loop", [
      { label: "Who held it", text: (row) => row.name || "the process stood still" },
      { label: "For", text: (row) => `${row.seconds.toFixed(2)} s`, numeric: true },
      { label: "Ago", text: (row) => ago(row.ago), numeric: true },
    ], { empty: "Stalls: none." }),
    namespaces: new Table("Namespaces", [
      { label: "Namespace", text: (row) => row.name + (row.dynamic ? " (dynamic)" : "") },
      { label: "Sockets", text: (row) => number(row.sockets), numeric: true },
      { label: "Rooms", text: (row) => number(row.all_rooms), numeric: true },
      { label: "Largest rooms", text: (row) => ways(row.rooms) },
      { label: "Handlers", text: (row) => row.handlers.map((one) => `${one.event}: ${one.functions.join(", ")}`).join("; ") },
    ], { key: (row) => row.name }),
    options: new Table("Options", [
      { label: "Option", text: (row) => row.name },
      { label: "Value", text: (row) => row.value },
    ], { key: (row) => row.name, empty: "All options have their defaults." }),
  };
}

/** Load socket.io-client from the server itself, unless the page has it already. */
function loadClient(path) {
  if (window.io?.Manager) return Promise.resolve(); // of either generation
  return new Promise((resolve, reject) => {
    document.head.append(make("script", { src: `${path}/socket.io.js`, onload: resolve, onerror: reject }));
  });
}
