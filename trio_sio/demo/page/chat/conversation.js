// The open conversation: its title, its messages, who is typing, and what stands there if it is empty.

import { $, avatar, entitle, icon, isChatSeen, linked, listed, make, plural, time } from "../dom.js";

const SAME_BREATH = 3 * 60 * 1000; // messages of one person this close stand together
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Component}|\s){1,12}$/u;
const HAS_PICTOGRAPH = /\p{Extended_Pictographic}/u;

const isTouched = matchMedia("(pointer: coarse)").matches;

export class Conversation {
  constructor(threads) {
    this.threads = threads;
    this.list = $("messages");
    this.scroller = $("scroll");
    this.unseen = 0;
    this.isAtBottom = true;
    this.lastTop = 0;
    threads.addEventListener("show", () => this.showThread());
    threads.addEventListener("change", () => this.showFrame());
    threads.addEventListener("item", (event) => this.showItem(event.detail.thread, event.detail.item));
    this.scroller.addEventListener("scroll", () => this.noticeScroll(), { passive: true });
    $("to-bottom").addEventListener("click", () => this.toBottom("smooth"));
    new ResizeObserver(() => this.isAtBottom && this.toBottom()).observe(this.scroller);
    this.showLightbox();
  }

  /** A message from the server, live or out of a room's history. */
  receive(thread, message, isHistory = false) {
    if (thread.has(message.id)) return;
    const mine = this.threads.isMine(message.from);
    const lost = mine && thread.items.find((item) => item.isLost && item.text === message.text);
    if (lost) {
      this.settle(lost, message); // it had arrived after all; only its answer was lost
      return;
    }
    const item = this.build(thread, message, mine);
    this.threads.silence(thread, message.from.id);
    thread.add(item);
    const isSeen = thread === this.threads.current && isChatSeen();
    if (!mine && !isHistory && !isSeen) thread.unread += 1;
    this.showItem(thread, item);
    this.threads.changed();
  }

  /** A message of mine that is on its way. */
  send(thread, content, again) {
    const item = this.build(thread, { id: null, at: Date.now(), from: this.threads.me, ...content }, true);
    item.again = again;
    item.node.dataset.delivery = "sending";
    thread.add(item);
    this.showItem(thread, item);
    this.threads.changed();
    return item;
  }

  settle(item, stamp) {
    Object.assign(item, { id: stamp.id, at: stamp.at, isLost: false });
    item.node.dataset.delivery = "delivered";
    item.node.querySelector(".delivery").replaceChildren();
    item.node.querySelector("time").textContent = time(stamp.at);
  }

  /** It did not get there; `again` tries once more. */
  lose(thread, item, sentence) {
    item.isLost = true;
    item.node.dataset.delivery = "failed";
    const retry = make("button.link", { type: "button", textContent: "Try again" });
    retry.addEventListener("click", () => {
      thread.items.splice(thread.items.indexOf(item), 1);
      item.node.remove();
      item.again();
    });
    item.node.querySelector(".delivery").replaceChildren(`${sentence} `, retry);
    this.stick();
  }

  build(thread, message, mine) {
    const item = { id: message.id, at: message.at, from: message.from, text: message.text };
    const content = message.type ? this.picture(item, message) : this.words(message.text);
    item.node = make(
      "li.message",
      { dataset: { kind: message.type ? "image" : "message" } },
      mine ? null : avatar(message.from.nick),
      make(
        "div.body",
        {},
        make(
          "p.head",
          {},
          make("span.author", { textContent: mine ? "You" : message.from.nick }),
          make("time", { textContent: time(message.at), dateTime: new Date(message.at).toISOString() }),
        ),
        content,
        make("p.delivery"),
      ),
    );
    item.node.classList.toggle("mine", mine);
    item.node.classList.toggle("private", thread.kind === "person");
    return item;
  }

  words(text) {
    const isEmoji = ONLY_EMOJI.test(text) && HAS_PICTOGRAPH.test(text);
    return make(isEmoji ? "p.text.emoji" : "p.text", { dir: "auto" }, ...linked(text));
  }

  picture(item, message) {
    if (!message.image) return make("p.text.faded", { textContent: "an image, shared before you came" });
    item.url = URL.createObjectURL(new Blob([message.image], { type: message.type }));
    const image = make("img", { src: item.url, alt: `Image from ${message.from.nick}` });
    image.addEventListener("load", () => this.stick());
    const button = make("button.picture", { type: "button", title: "Look at it closely" }, image);
    button.addEventListener("click", () => {
      $("lightbox-image").src = image.src;
      $("lightbox-image").alt = image.alt;
      $("lightbox").showModal();
    });
    return button;
  }

  showLightbox() {
    const box = $("lightbox");
    box.addEventListener("click", (event) => event.target.closest("button") || box.close());
  }

  showThread() {
    const thread = this.threads.current;
    this.list.replaceChildren(...(thread ? thread.items.map((item) => item.node) : []));
    this.group();
    this.toBottom();
  }

  showItem(thread, item) {
    if (thread !== this.threads.current) return;
    const next = thread.items[thread.items.indexOf(item) + 1];
    this.list.insertBefore(item.node, next ? next.node : null);
    this.group();
    if (this.isAtBottom || (item.from && item.node.classList.contains("mine"))) this.toBottom();
    else if (item.from) this.showUnseen(this.unseen + 1);
  }

  /** Only the first of several messages in one breath shows its author. */
  group() {
    const items = this.threads.current ? this.threads.current.items : [];
    items.forEach((item, index) => {
      const before = items[index - 1];
      const goesOn =
        before && before.from && item.from && before.from.id === item.from.id && item.at - before.at < SAME_BREATH;
      item.node.classList.toggle("first", !goesOn);
    });
  }

  showFrame() {
    const thread = this.threads.current;
    document.body.classList.toggle("is-private", Boolean(thread) && thread.kind === "person");
    $("title").textContent = thread ? thread.name : "No conversation";
    $("title-mark").replaceChildren(...(thread ? [thread.kind === "room" ? "#" : icon("lock")] : []));
    $("subtitle").textContent = thread ? this.subtitle(thread) : "";
    $("leave").hidden = !thread;
    $("typing").replaceChildren(...this.typing(thread));
    this.showEmpty(thread);
    const unread = this.threads.unread;
    entitle("app", `${unread ? `(${unread}) ` : ""}${thread ? thread.name : "trio_sio"}`);
  }

  subtitle(thread) {
    if (thread.kind === "person") return thread.isGone ? "has left" : "private, between the two of you";
    const others = [...thread.people].filter(([id]) => id !== this.threads.me.id);
    if (others.length === 0) return "only you are here";
    return `${plural(thread.people.size, "person", "people")}: you, ${listed(others.map(([, nick]) => nick), 4)}`;
  }

  typing(thread) {
    const nicks = thread ? [...thread.typing.values()].map((entry) => entry.nick) : [];
    if (nicks.length === 0) return [];
    const dots = make("span.dots", { "aria-hidden": "true" }, make("i"), make("i"), make("i"));
    return [dots, `${listed(nicks)} ${nicks.length === 1 ? "is" : "are"} typing…`];
  }

  showEmpty(thread) {
    const isEmpty = !thread || !thread.items.some((item) => item.from);
    $("empty").hidden = !isEmpty;
    if (!isEmpty) return;
    const isRoom = Boolean(thread) && thread.kind === "room";
    const isAlone = isRoom && thread.people.size < 2;
    $("another-window").hidden = !isAlone;
    if (isRoom) $("another-window").href = `/?room=${encodeURIComponent(thread.key)}`;
    $("empty-title").textContent = !thread ? "Nothing is open" : isRoom ? "It is quiet here" : `Just you and ${thread.name}`;
    $("empty-words").textContent = !thread
      ? "Join a room, or open one of your own: every name that nobody uses yet is a new room."
      : isAlone
        ? "Nobody else has come yet. Open another window and talk to yourself; it is more fun than it sounds."
        : isRoom
          ? `Be the first to say something.${isTouched ? "" : " Images can be dropped or pasted."}`
          : "What you write here goes to this one person and is kept nowhere.";
  }

  noticeScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    // Growing content, an image that has loaded, also leaves the bottom behind, but asks for no
    // reading of older messages: only scrolling up does.
    if (scrollHeight - scrollTop - clientHeight < 60) this.isAtBottom = true;
    else if (scrollTop < this.lastTop - 4) this.isAtBottom = false;
    this.lastTop = scrollTop;
    this.showUnseen(this.isAtBottom ? 0 : this.unseen);
  }

  showUnseen(count) {
    this.unseen = count;
    $("to-bottom").hidden = count === 0 && this.isAtBottom;
    $("to-bottom-words").textContent = count ? plural(count, "new message") : "Newest";
  }

  stick() {
    if (this.isAtBottom) this.toBottom();
  }

  toBottom(behavior = "instant") {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior });
    this.isAtBottom = true;
    this.showUnseen(0);
  }
}
