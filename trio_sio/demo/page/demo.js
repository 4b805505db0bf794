// The demo's page: ties the connection to the views. What stands where is told in index.html.

import { Composer } from "./chat/composer.js";
import { Connection, offerChoices } from "./connection.js";
import { Conversation } from "./chat/conversation.js";
import { $, isChatSeen, memory, notice, showAvatar } from "./dom.js";
import { Hood, showView } from "./hood.js";
import { Meter, showFigures } from "./meter.js";
import { Sidebar } from "./chat/sidebar.js";
import { Threads } from "./chat/threads.js";

const query = new URLSearchParams(location.search);

class Demo {
  constructor() {
    this.connection = new Connection();
    this.threads = new Threads();
    this.conversation = new Conversation(this.threads);
    this.composer = new Composer(this.connection, this.threads, this.conversation);
    this.sidebar = new Sidebar(this.threads, { join: (name) => this.join(name) });
    this.meter = new Meter(this.connection);
    this.hood = new Hood(this.meter, () => this.comeIntoSight());
    this.wantedNick = firstNick();
    this.hasEntered = false;
    this.shadow = null; // {id, nick}: the page that this tab had before, if it still has our name
    this.listenToServer();
    this.listenToForms();
    this.listenToKeys();
    this.threads.addEventListener("change", () => this.rememberRooms());
    this.threads.changed();
  }

  listenToServer() {
    const { socket } = this.connection;
    const { threads } = this;
    const here = (name, act) => {
      const room = threads.find("room", name);
      if (room) act(room);
    };
    socket.on("welcome", (welcome) => this.enter(welcome));
    socket.on("message", (message) => this.receive(message));
    socket.on("figures", (figures) => {
      showFigures(figures);
      this.sidebar.showListing(figures.listing);
    });
    socket.on("typing", (sign) => {
      const thread = "room" in sign ? threads.find("room", sign.room) : threads.find("person", sign.from.id);
      if (thread) threads.types(thread, sign.from);
    });
    socket.on("joined", (name, card) =>
      here(name, (room) => {
        if (!room.people.has(card.id)) threads.note(room, `${card.nick} came in`);
        threads.joined(room, card);
      }),
    );
    socket.on("left", (name, id) => here(name, (room) => threads.note(room, `${threads.left(room, id)} left`)));
    socket.on("gone", (id) => this.sayGone(id));
    socket.on("renamed", (card) => this.sayRenamed(card));
  }

  /** Connected, for the first time or again: take back the name and the rooms. */
  async enter(welcome) {
    this.composer.learn(welcome.limits);
    this.limits = welcome.limits;
    this.become(welcome.id, welcome.nick);
    const wanted = this.wantedNick;
    if (wanted) await this.rename(wanted);
    else this.rememberNick(welcome.nick);
    const rooms = this.hasEntered ? this.threads.rooms.map((room) => room.key) : this.firstRooms();
    const current = this.threads.current;
    for (const name of rooms) await this.join(name, { quietly: true });
    if (this.connection.socket.id !== welcome.id) return; // lost again; the next welcome goes on
    await this.reclaim(wanted);
    this.threads.reconcile();
    if (!this.hasEntered) this.threads.show(this.firstShown());
    else if (current) this.threads.note(current, "You are back.");
    this.hasEntered = true;
  }

  /** Take back a name that the page before this one had, in this tab, once that has left. */
  async reclaim(wanted) {
    this.shadow = null;
    if (!wanted || this.threads.me.nick === wanted) return;
    const holder = this.threads.holder(wanted);
    if (holder === null) await this.rename(wanted); // it has left since
    else if (this.threads.isMine({ id: holder })) this.shadow = { id: holder, nick: wanted };
  }

  firstRooms() {
    const asked = query.get("room");
    const rooms = memory.get("sessionStorage", "rooms") || [];
    return asked ? [...new Set([...rooms, asked])] : rooms.length ? rooms : ["lobby"];
  }

  firstShown() {
    const asked = query.get("room");
    const wanted = memory.get("sessionStorage", "current") || (asked && asked.toLowerCase());
    return (wanted && this.threads.find("room", wanted)) || this.threads.rooms[0] || null;
  }

  rememberRooms() {
    if (!this.hasEntered) return;
    const { current, rooms } = this.threads;
    memory.set("sessionStorage", "rooms", rooms.map((room) => room.key));
    memory.set("sessionStorage", "current", current && current.kind === "room" ? current.key : null);
  }

  become(id, nick) {
    this.threads.become(id, nick);
    const input = $("nick");
    input.dataset.id = id;
    if (document.activeElement !== input) input.value = nick;
    showAvatar($("my-avatar"), nick);
  }

  /** What was given, not what was wished: two who wished for one name keep theirs after a restart. */
  rememberNick(nick) {
    this.wantedNick = nick;
    memory.set("sessionStorage", "nick", { asked: query.get("nick"), nick });
  }

  async rename(wanted) {
    try {
      const { nick } = await this.connection.request("nick", wanted);
      const { id } = this.threads.me;
      for (const room of this.threads.rooms) if (room.people.has(id)) room.people.set(id, nick);
      this.become(id, nick);
      this.rememberNick(nick);
      $("nick").value = nick;
      return true;
    } catch (error) {
      notice(error.message);
      $("nick").value = this.threads.me.nick;
      return false;
    }
  }

  async join(wanted, { quietly = false } = {}) {
    try {
      const { room: name, people, history } = await this.connection.request("join", wanted);
      const room = this.threads.room(name);
      room.people = new Map(people.map((card) => [card.id, card.nick]));
      for (const message of history) this.conversation.receive(room, message, true);
      if (!quietly) this.sidebar.open(room);
      this.threads.changed();
      return true;
    } catch (error) {
      if (!quietly || this.connection.isUp) notice(error.message);
      return false;
    }
  }

  async leave() {
    const thread = this.threads.current;
    if (!thread) return;
    try {
      if (thread.kind === "room" && this.connection.isUp) await this.connection.request("leave", thread.key);
      this.threads.close(thread);
      const what = thread.kind === "room" ? `You left #${thread.name}.` : `You closed ${thread.name}.`;
      notice(what, { label: "Undo", act: () => this.comeBack(thread), forget: () => thread.forget() });
    } catch (error) {
      notice(error.message);
    }
  }

  async comeBack(thread) {
    const known = this.threads.find(thread.kind, thread.key);
    if (!known) this.threads.keep(thread);
    if (thread.kind === "room" && !(await this.join(thread.key))) this.threads.close(thread);
    else this.sidebar.open(known || thread);
  }

  receive(message) {
    const { threads } = this;
    const thread = "room" in message ? threads.find("room", message.room) : threads.person(message.from);
    if (thread) this.conversation.receive(thread, message);
  }

  sayGone(id) {
    const nicks = this.threads.rooms.map((room) => room.people.get(id));
    const nick = nicks.find(Boolean);
    for (const room of this.threads.gone(id)) this.threads.note(room, `${nick} left`);
    if (this.shadow && this.shadow.id === id) this.rename(this.shadow.nick);
  }

  sayRenamed(card) {
    for (const room of this.threads.rooms) {
      const before = room.people.get(card.id);
      if (before && before !== card.nick) this.threads.note(room, `${before} is now called ${card.nick}`);
    }
    this.threads.renamed(card);
  }

  listenToForms() {
    $("nick-form").addEventListener("submit", (event) => {
      event.preventDefault();
      $("nick").blur();
    });
    $("nick").addEventListener("change", async () => {
      const wanted = $("nick").value.trim();
      if (!wanted || !(await this.rename(wanted))) $("nick").value = this.threads.me.nick;
      else memory.set("localStorage", "nick", wanted);
      $("nick").removeAttribute("aria-invalid");
    });
    this.countLetters($("nick"), "A name", "nick_length");
    this.countLetters($("join-room"), "A room's name", "room_length");
    $("join-form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const wanted = $("join-room").value;
      if (!wanted.trim() || !(await this.join(wanted))) return;
      $("join-room").value = "";
      $("message").focus(); // by touch, too: the keyboard is there already
    });
    $("leave").addEventListener("click", () => this.leave());
    $("connect").addEventListener("click", () => this.connection.toggle());
  }

  /** Say it when a name gets too long; a `maxlength` would cut it without a word. */
  countLetters(input, what, limit) {
    input.addEventListener("input", () => {
      const most = this.limits ? this.limits[limit] : Infinity;
      const count = Array.from(input.value.trim()).length;
      input.setAttribute("aria-invalid", count > most);
      if (count > most) notice(`${what} may have ${most} characters; this one has ${count}.`);
    });
  }

  comeIntoSight() {
    this.threads.read();
    this.conversation.stick();
    this.composer.showState(); // nothing has a height while it is out of sight
  }

  listenToKeys() {
    document.addEventListener("visibilitychange", () => this.threads.read());
    window.addEventListener("focus", () => this.threads.read());
    document.addEventListener("keydown", (event) => {
      if (!isChatSeen()) return;
      if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        event.preventDefault();
        this.threads.step(event.key === "ArrowDown" ? 1 : -1);
      } else if ((event.ctrlKey || event.metaKey) && event.key === "k") {
        event.preventDefault();
        this.sidebar.reveal("sidebar");
        $("join-room").focus();
      }
    });
  }
}

/** The name that this tab had, if it was not asked for another since; else the one wished last. */
function firstNick() {
  const asked = query.get("nick");
  const had = memory.get("sessionStorage", "nick");
  return (had && had.asked === asked && had.nick) || asked || memory.get("localStorage", "nick");
}

function start() {
  offerChoices();
  new Demo();
}

if (typeof window.io !== "function") {
  $("missing-client").hidden = false;
} else {
  showView();
  // Not before: the script tags of JSONP would keep the page loading for as long as they poll.
  if (document.readyState === "complete") start();
  else window.addEventListener("load", start);
}
