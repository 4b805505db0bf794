// The two side panels' lists: rooms, private conversations, people. Drawn anew on each change.

import { $, avatar, badge, icon, make } from "../dom.js";

export class Sidebar {
  /** `act` has `join(name)`: what the lists can ask for beyond showing a conversation. */
  constructor(threads, act) {
    this.threads = threads;
    this.act = act;
    this.listing = []; // [name, count] of all rooms, told by the server
    threads.addEventListener("change", () => this.show());
    this.listenToDrawers();
  }

  showListing(listing) {
    this.listing = listing;
    this.show();
  }

  show() {
    const { threads } = this;
    this.fill($("rooms"), threads.rooms.map((room) => this.roomEntry(room)));
    this.fill($("privates"), threads.privates.map((thread) => this.privateEntry(thread)));
    $("no-privates").hidden = threads.privates.length > 0;
    this.showOthers();
    this.showPeople();
    const unread = threads.unread;
    $("menu-badge").hidden = unread === 0;
    $("menu-badge").textContent = unread > 99 ? "99+" : unread;
    const name = unread ? `Conversations, ${$("menu-badge").textContent} unread` : "Conversations";
    $("open-sidebar").setAttribute("aria-label", name);
    $("close-hood").setAttribute("aria-label", unread ? `Chat, ${$("menu-badge").textContent} unread` : "Chat");
    $("hood-badge").hidden = unread === 0;
    $("hood-badge").textContent = $("menu-badge").textContent;
  }

  /** Bring a list up to date. What has not changed stays, or a click on it could be lost in between. */
  fill(list, entries) {
    const focused = list.contains(document.activeElement) && document.activeElement.dataset.focus;
    entries.forEach((entry, index) => {
      const old = list.children[index];
      if (!old) list.append(entry);
      else if (!old.isEqualNode(entry)) old.replaceWith(entry);
    });
    while (list.children.length > entries.length) list.lastChild.remove();
    if (focused && !list.contains(document.activeElement)) {
      const again = [...list.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === focused);
      if (again) again.focus();
    }
  }

  roomEntry(room) {
    const mark = make("span.hash", { textContent: "#", "aria-hidden": "true" });
    const count = make("span.count", { textContent: room.people.size || "", title: "people here" });
    const entry = this.entry(room, mark, room.unread ? badge(room.unread) : count);
    entry.dataset.room = room.key;
    return entry;
  }

  privateEntry(thread) {
    const entry = this.entry(thread, avatar(thread.name, ".small"), thread.unread ? badge(thread.unread) : icon("lock"));
    entry.dataset.person = thread.key;
    entry.dataset.nick = thread.name;
    entry.classList.toggle("gone", thread.isGone);
    return entry;
  }

  entry(thread, mark, tail) {
    const button = make(
      "button.entry",
      { type: "button", dataset: { focus: `${thread.kind}:${thread.key}` } },
      mark,
      make("span.name", { textContent: thread.name, dir: "auto" }),
      tail,
    );
    const isCurrent = thread === this.threads.current;
    if (isCurrent) button.setAttribute("aria-current", "true");
    button.classList.toggle("unread", thread.unread > 0);
    button.addEventListener("click", () => this.open(thread));
    return make("li", {}, button);
  }

  showOthers() {
    const others = this.listing.filter(([name]) => !this.threads.find("room", name));
    $("other-rooms-section").hidden = others.length === 0;
    this.fill(
      $("other-rooms"),
      others.map(([name, count]) => {
        const button = make(
          "button.chip",
          { type: "button", title: `Join #${name}`, dataset: { room: name, focus: name } },
          `#${name}`,
          make("span.count", { textContent: count }),
        );
        button.addEventListener("click", () => this.act.join(name));
        return make("li", {}, button);
      }),
    );
  }

  showPeople() {
    const thread = this.threads.current;
    const isRoom = Boolean(thread) && thread.kind === "room";
    $("people-section").hidden = !isRoom;
    if (!isRoom) return;
    const me = this.threads.me.id;
    const people = [...thread.people].sort(([a, x], [b, y]) => (b === me) - (a === me) || x.localeCompare(y));
    $("people-count").textContent = people.length;
    this.fill($("people"), people.map(([id, nick]) => this.personEntry(thread, id, nick)));
  }

  personEntry(room, id, nick) {
    const isMe = id === this.threads.me.id;
    const button = make(
      "button.entry",
      { type: "button", disabled: isMe, dataset: { focus: id }, title: isMe ? "" : `Write to ${nick} alone` },
      avatar(nick, ".small"),
      make("span.name", { textContent: nick, dir: "auto" }),
    );
    if (isMe) button.append(make("span.count", { textContent: "you" }));
    else button.append(room.typing.has(id) ? make("span.dots", {}, make("i"), make("i"), make("i")) : icon("lock"));
    button.addEventListener("click", () => this.open(this.threads.person({ id, nick })));
    return make("li", { dataset: { person: id, nick } }, button);
  }

  open(thread) {
    this.threads.show(thread);
    this.closeDrawers();
    // On a phone the keyboard would cover what was just opened.
    if (matchMedia("(hover: hover)").matches) $("message").focus();
  }

  listenToDrawers() {
    $("open-sidebar").addEventListener("click", () => this.drawer("sidebar"));
    $("open-details").addEventListener("click", () => this.drawer("details"));
    $("backdrop").addEventListener("click", () => this.closeDrawers());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.closeDrawers());
  }

  drawer(name) {
    const isOpen = document.body.dataset.drawer === name;
    this.closeDrawers();
    if (isOpen) return;
    this.reveal(name);
    $(name).querySelector("button:not(:disabled), input").focus();
  }

  /** Open a drawer, where the panel is one. */
  reveal(name) {
    if (getComputedStyle($(`open-${name}`)).display === "none") return;
    document.body.dataset.drawer = name;
    $(`open-${name}`).setAttribute("aria-expanded", "true");
  }

  closeDrawers() {
    const { drawer } = document.body.dataset;
    // The focus goes back to where it came from, not to nowhere with the panel.
    if (drawer && $(drawer).contains(document.activeElement)) $(`open-${drawer}`).focus();
    delete document.body.dataset.drawer;
    for (const name of ["sidebar", "details"]) $(`open-${name}`).setAttribute("aria-expanded", "false");
  }
}
