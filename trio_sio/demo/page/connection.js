// The connection: one socket of the real socket.io-client, 2.x or 4.x, and what state it is in.

import { $ } from "./dom.js";

const TRANSPORTS = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  jsonp: { transports: ["polling"], forceJSONP: true },
};
const WORDS = {
  connecting: "Connecting…",
  polling: "Polling",
  websocket: "WebSocket",
  reconnecting: "Reconnecting…",
  disconnected: "Disconnected",
};

export const offered = document.body.dataset.transports.split(" ");
const { client } = document.body.dataset; // its generation, "2" or "4"
const isOld = client === "2";
// What ends a session, in the revision of Engine.IO that the client speaks.
const FAREWELL = isOld ? { EIO: 3, payload: "1:1" } : { EIO: 4, payload: "1" };
const asked = new URLSearchParams(location.search).get("transport") || "";
// Clients of 4.x have no JSONP.
export const chosenTransport = asked === "jsonp" && !isOld ? "polling" : asked;

export class Connection extends EventTarget {
  constructor() {
    super();
    this.state = "connecting";
    this.upgraded = false;
    this.comeback = 0;
    this.failures = new Set(); // one function per request that has no answer yet
    this.socket = window.io({ reconnectionDelayMax: 4000, transports: offered, ...TRANSPORTS[chosenTransport] });
    this.watch();
    this.watchPage();
    this.show("connecting");
  }

  get isUp() {
    return this.socket.connected;
  }

  /** Emit an event and wait for its acknowledgement; an `error` in it is thrown. */
  request(event, ...args) {
    return new Promise((resolve, reject) => {
      if (!this.isUp) {
        reject(new Error("You are not connected right now."));
        return;
      }
      const fail = (sentence) => settle(reject, new Error(sentence));
      const timer = setTimeout(() => fail("The server did not answer in time."), 30000);
      const settle = (how, value) => {
        clearTimeout(timer);
        this.failures.delete(fail);
        how(value);
      };
      this.failures.add(fail);
      this.socket.emit(event, ...args, (answer) => {
        if (answer && answer.error) fail(answer.error);
        else settle(resolve, answer);
      });
    });
  }

  /** Emit an event if there is a connection; without one the client would keep it for later. */
  mention(event, ...args) {
    if (this.isUp) this.socket.emit(event, ...args);
  }

  toggle() {
    clearTimeout(this.comeback);
    if (this.state === "disconnected") {
      this.show("connecting");
      this.socket.connect();
    } else {
      this.socket.disconnect();
      this.show("disconnected"); // also while reconnecting, when no event says so
    }
  }

  watch() {
    const { socket } = this;
    const manager = socket.io;
    manager.on("open", () => this.watchEngine(manager.engine));
    socket.on("connect", () => this.show(manager.engine.transport.name));
    socket.on("connect_error", () => {
      if (this.state === "connecting") this.show("reconnecting");
    });
    manager.on("reconnect_attempt", (attempt) => this.show("reconnecting", attempt));
    socket.on("disconnect", (reason) => {
      for (const fail of [...this.failures]) fail("The connection was lost before it arrived.");
      this.show(reason === "io client disconnect" ? "disconnected" : "reconnecting");
      // The client comes back by itself, unless the server said goodbye, as it does when it ends.
      // It may be a restart, so ask again soon; not everybody in the same moment.
      if (reason === "io server disconnect") {
        this.comeback = setTimeout(() => socket.connect(), 500 + Math.random() * 1000);
      }
      this.dispatchEvent(new Event("down"));
    });
  }

  /** Leave with the page: the back/forward cache would keep the connection, and us in the room. */
  watchPage() {
    let wasOn = false;
    window.addEventListener("pagehide", () => {
      wasOn = this.state !== "disconnected";
      if (!wasOn) return;
      const { engine } = this.socket.io;
      // A page that goes takes its requests along, but not a beacon: a CLOSE of Engine.IO.
      if (engine && engine.id && engine.transport.name === "polling") {
        const query = new URLSearchParams({ EIO: FAREWELL.EIO, transport: "polling", sid: engine.id });
        const { payload: d } = FAREWELL;
        // What JSONP sends is a form.
        const body = chosenTransport === "jsonp" ? new URLSearchParams({ d }) : d;
        navigator.sendBeacon(`${isOld ? engine.path : engine.opts.path}?${query}`, body);
      }
      this.toggle();
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted && wasOn && this.state === "disconnected") this.toggle();
    });
  }

  watchEngine(engine) {
    this.upgraded = false;
    engine.on("upgrade", (transport) => {
      this.upgraded = true;
      if (this.isUp) this.show(transport.name);
    });
  }

  show(state, attempt = 0) {
    this.state = state;
    const isUp = state === "polling" || state === "websocket";
    const isJsonp = chosenTransport === "jsonp";
    const words = state === "polling" && isJsonp ? "JSONP polling" : WORDS[state];
    for (const pill of [$("state"), $("hood-state")]) {
      pill.dataset.state = state;
      pill.textContent = attempt > 1 ? `${words} (${attempt})` : words;
      pill.title = this.upgraded && isUp ? "Upgraded from polling to WebSocket" : "";
    }

    const transport = $("transport");
    transport.textContent = isUp ? state : "–";
    transport.dataset.jsonp = isJsonp;
    transport.dataset.upgraded = this.upgraded && isUp;
    $("track").dataset.state = state;
    $("track").classList.toggle("upgraded", this.upgraded && isUp);
    $("track-polling").textContent = isJsonp ? "JSONP polling" : "polling";
    $("connect").textContent = state === "disconnected" ? "Connect" : "Disconnect";
    document.body.classList.toggle("offline", !isUp);
    this.dispatchEvent(new Event("state"));
  }
}

/** Let the visitor choose the client's generation and how it travels; each loads the page anew. */
export function offerChoices() {
  if (!isOld) $("choose-transport").querySelector("[value=jsonp]").remove();
  offer("client", isOld ? "" : client);
  offer("transport", chosenTransport in TRANSPORTS ? chosenTransport : "");
}

function offer(parameter, chosen) {
  const choice = $(`choose-${parameter}`);
  const showChosen = () => (choice.value = chosen);
  showChosen();
  window.addEventListener("pageshow", showChosen);
  choice.addEventListener("change", () => {
    const address = new URL(location.href);
    if (choice.value) address.searchParams.set(parameter, choice.value);
    else address.searchParams.delete(parameter);
    location.assign(address);
  });
}
