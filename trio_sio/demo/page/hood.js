// The second view, "Under the hood": the library's own view for operators, in a page of the chat's.
//
// It has an address of its own. The chat stays connected meanwhile, and its round trip is shown.

import { offered } from "./connection.js";
import { $, entitle, make, retitle } from "./dom.js";

const PATH = "/under-the-hood";
const CHAT = "/";
const DOORS = ["open-hood", "look-under"];

const isOpen = () => location.pathname === PATH;

/** Show the view of this address, and hide the other one. */
export function showView() {
  $("app").hidden = isOpen();
  $("hood").hidden = !isOpen();
}

export class Hood {
  constructor(meter, onChat) {
    this.meter = meter;
    this.onChat = onChat;
    this.view = null;
    this.auth = null; // a token stays with the page while one looks at the chat
    for (const id of DOORS) this.lead($(id), PATH);
    this.lead($("close-hood"), CHAT);
    window.addEventListener("popstate", () => this.turn());
    entitle("hood", "Under the hood");
    this.update();
  }

  /** A link to a view; with a key held down it opens a window, as links do. */
  lead(link, path) {
    link.href = path + location.search;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (location.pathname !== path) history.pushState(null, "", path + location.search);
      this.turn();
    });
  }

  /** The other view comes up, and the focus with it. */
  turn() {
    this.update();
    const focused = isOpen() ? $("hood-title") : $("open-hood");
    if (focused.checkVisibility({ visibilityProperty: true })) focused.focus();
    else $("open-sidebar").focus();
  }

  update() {
    showView();
    this.meter.isClose = isOpen();
    retitle();
    if (isOpen()) this.mount();
    else {
      this.unmount();
      this.onChat();
    }
  }

  async mount() {
    if (this.view) return;
    try {
      const { mount } = await import("/admin/view.js");
      if (this.view || !isOpen()) return;
      const onHello = ({ title }) => this.name(title);
      this.view = mount($("hood-view"), { transports: offered, auth: this.auth, onHello });
    } catch (_) {
      $("hood-view").replaceChildren(make("p.hint", { textContent: "The view could not be loaded; reload the page." }));
    }
  }

  unmount() {
    if (!this.view) return;
    this.auth = this.view.auth;
    this.view.unmount();
    this.view = null;
  }

  /** What the server calls itself; after a drain it is another one. */
  name(title) {
    $("hood-title").textContent = title;
    entitle("hood", title);
  }
}
