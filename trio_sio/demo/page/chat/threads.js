// The conversations of this visitor: rooms and private ones, who is in them, what is unread.
// A model without a page; "change" tells the views that it is time to draw.

import { isChatSeen, make, memory } from "../dom.js";

const MOST_MESSAGES = 300; // kept per conversation; older ones fall out, images with them

export class Thread {
  constructor(kind, key, name) {
    this.kind = kind; // "room" or "person"
    this.key = key; // the room's name or the person's id
    this.name = name;
    this.people = new Map(); // id → nick
    this.typing = new Map(); // id → {nick, timer}
    this.items = []; // {id, from, at, node, url, text}, oldest first
    this.unread = 0;
    this.draft = "";
    this.isGone = false; // a private conversation whose other end has left
  }

  get target() {
    return { [this.kind]: this.key };
  }

  has(id) {
    return this.items.some((item) => item.id === id);
  }

  /** Let go of the images. */
  forget() {
    for (const item of this.items) if (item.url) URL.revokeObjectURL(item.url);
  }

  /** Put an item where its time is; almost always that is the end. */
  add(item) {
    let place = this.items.length;
    while (place > 0 && this.items[place - 1].at > item.at) place -= 1;
    this.items.splice(place, 0, item);
    if (this.items.length <= MOST_MESSAGES) return;
    const old = this.items.shift();
    old.node.remove();
    if (old.url) URL.revokeObjectURL(old.url);
  }
}

export class Threads extends EventTarget {
  constructor() {
    super();
    this.me = { id: "", nick: "" };
    // Each reconnect and each reload gives a new id; what was said under the old ones is still mine.
    this.myIds = new Set(memory.get("sessionStorage", "ids") || []);
    this.all = new Map(); // "room:lobby", "person:<id>" → Thread
    this.current = null;
  }

  get rooms() {
    return [...this.all.values()].filter((thread) => thread.kind === "room");
  }

  get privates() {
    return [...this.all.values()].filter((thread) => thread.kind === "person");
  }

  get unread() {
    return [...this.all.values()].reduce((sum, thread) => sum + thread.unread, 0);
  }

  become(id, nick) {
    this.me = { id, nick };
    // This tab may have had other pages meanwhile, if this one comes out of the browser's cache.
    this.myIds = new Set([...(memory.get("sessionStorage", "ids") || []), ...this.myIds, id]);
    memory.set("sessionStorage", "ids", [...this.myIds].slice(-20));
    this.changed();
  }

  isMine(card) {
    return this.myIds.has(card.id);
  }

  /** The id of whoever has this name in one of my rooms. */
  holder(nick) {
    const people = this.rooms.flatMap((room) => [...room.people]);
    const found = people.find(([, name]) => name === nick);
    return found ? found[0] : null;
  }

  find(kind, key) {
    return this.all.get(`${kind}:${key}`);
  }

  room(name) {
    return this.find("room", name) || this.keep(new Thread("room", name, name));
  }

  /** The private conversation with somebody; if they were away and are back, the old one. */
  person(card) {
    return this.find("person", card.id) || this.adopt(card) || this.keep(new Thread("person", card.id, card.nick));
  }

  keep(thread) {
    this.all.set(`${thread.kind}:${thread.key}`, thread);
    this.changed();
    return thread;
  }

  /** Whoever reconnects has a new id: go on where we were, if the name is the same. */
  adopt(card) {
    const thread = this.privates.find((other) => other.isGone && other.name === card.nick);
    if (!thread || this.find("person", card.id)) return null;
    this.all.delete(`person:${thread.key}`);
    thread.key = card.id;
    thread.isGone = false;
    return this.keep(thread);
  }

  close(thread) {
    this.all.delete(`${thread.kind}:${thread.key}`);
    if (this.current === thread) this.show(this.rooms[0] || this.privates[0] || null);
    else this.changed();
  }

  show(thread) {
    this.current = thread;
    this.dispatchEvent(new Event("show"));
    this.read();
    this.changed();
  }

  /** Show the next conversation, or with -1 the one before. */
  step(by) {
    const order = [...this.rooms, ...this.privates];
    if (order.length === 0) return;
    const index = order.indexOf(this.current);
    this.show(order[(index + by + order.length) % order.length]);
  }

  read() {
    if (this.current && isChatSeen() && this.current.unread > 0) {
      this.current.unread = 0;
      this.changed();
    }
  }

  joined(room, card) {
    room.people.set(card.id, card.nick);
    this.adopt(card);
    this.changed();
  }

  left(room, id) {
    const nick = room.people.get(id);
    room.people.delete(id);
    this.silence(room, id);
    this.changed();
    return nick;
  }

  /** Somebody disconnected. Returns the rooms they were in. */
  gone(id) {
    const rooms = this.rooms.filter((room) => room.people.has(id));
    for (const room of rooms) this.left(room, id);
    const thread = this.find("person", id);
    if (thread) thread.isGone = true;
    this.changed();
    return rooms;
  }

  renamed(card) {
    for (const room of this.rooms) if (room.people.has(card.id)) room.people.set(card.id, card.nick);
    const thread = this.find("person", card.id);
    if (thread) thread.name = card.nick;
    this.changed();
  }

  /** After a reconnect: a private conversation goes on only with whom we can see. */
  reconcile() {
    for (const thread of this.privates) {
      thread.isGone = !this.rooms.some((room) => room.people.has(thread.key));
    }
    for (const room of this.rooms) {
      for (const [id, nick] of room.people) if (id !== this.me.id) this.adopt({ id, nick });
    }
    this.changed();
  }

  types(thread, card) {
    this.silence(thread, card.id);
    const timer = setTimeout(() => {
      this.silence(thread, card.id);
      this.changed();
    }, 3500);
    thread.typing.set(card.id, { nick: card.nick, timer });
    this.changed();
  }

  silence(thread, id) {
    const entry = thread.typing.get(id);
    if (entry) clearTimeout(entry.timer);
    thread.typing.delete(id);
  }

  note(thread, sentence) {
    if (!thread) return;
    const node = make("li.note", { dataset: { kind: "note" }, textContent: sentence });
    const item = { id: null, from: null, at: Date.now(), node };
    thread.add(item);
    this.dispatchEvent(new CustomEvent("item", { detail: { thread, item } }));
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
