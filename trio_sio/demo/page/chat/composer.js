// Writing: text, images (picked, dropped, pasted), and telling others that somebody is typing.

import { chosenTransport } from "../connection.js";
import { $, isChatSeen, notice } from "../dom.js";

const TYPING_EVERY = 2000;
const SMALLER_SIDES = [1600, 1120, 800, 560, 400]; // pixels, tried one after the other
// With JSONP the client turns bytes into base64 by one function call that has each byte as an
// argument, and the browser's stack ends that somewhere above 65,536 of them.
const MOST_JSONP_BYTES = 60000;

export class Composer {
  constructor(connection, threads, conversation) {
    Object.assign(this, { connection, threads, conversation });
    this.limits = { text_length: 2000, image_bytes: 2000000 };
    this.box = $("message");
    this.toldTyping = 0;
    this.shown = null;
    threads.addEventListener("show", () => this.swapDraft());
    threads.addEventListener("change", () => this.showState());
    connection.addEventListener("state", () => this.showState());
    this.listenToText();
    this.listenToImages();
  }

  learn(limits) {
    this.limits = limits;
  }

  listenToText() {
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendText();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.sendText();
    });
    this.box.addEventListener("input", () => {
      this.showState();
      this.tellTyping();
    });
  }

  listenToImages() {
    $("pick-image").addEventListener("click", () => $("image").click());
    $("image").addEventListener("change", () => {
      this.shareAll($("image").files);
      $("image").value = "";
    });
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length === 0 || !isChatSeen()) return;
      event.preventDefault();
      this.shareAll(event.clipboardData.files);
    });
    this.listenToDrop();
  }

  listenToDrop() {
    const hasFiles = (event) => isChatSeen() && event.dataTransfer && event.dataTransfer.types.includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      $("drop").hidden = !this.threads.current;
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) $("drop").hidden = true;
    });
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      $("drop").hidden = true;
      this.shareAll(event.dataTransfer.files);
    });
  }

  swapDraft() {
    if (this.shown) this.shown.draft = this.box.value;
    this.shown = this.threads.current;
    this.box.value = this.shown ? this.shown.draft : "";
    this.showState();
  }

  showState() {
    const thread = this.threads.current;
    const canSend = this.connection.isUp && Boolean(thread) && !thread.isGone;
    this.box.disabled = !thread;
    this.box.placeholder = this.placeholder(thread);
    const count = Array.from(this.box.value.trim()).length;
    const most = this.limits.text_length;
    $("send").disabled = !canSend || count === 0 || count > most;
    $("letters").hidden = count < most * 0.9;
    $("letters").textContent = `${count.toLocaleString()} of ${most.toLocaleString()} characters`;
    $("letters").classList.toggle("over", count > most);
    this.box.setAttribute("aria-invalid", count > most);
    $("pick-image").disabled = !canSend;
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 180)}px`;
  }

  placeholder(thread) {
    if (!thread) return "Join a room to write";
    if (!this.connection.isUp) return "You can send again once the connection is back";
    if (thread.isGone) return `${thread.name} has left`;
    return thread.kind === "room" ? `Write to #${thread.name}` : `Write to ${thread.name} alone`;
  }

  tellTyping() {
    const now = Date.now();
    const thread = this.threads.current;
    if (!thread || thread.isGone || !this.box.value.trim() || now - this.toldTyping < TYPING_EVERY) return;
    this.toldTyping = now;
    this.connection.mention("typing", thread.target);
  }

  sendText() {
    const text = this.box.value.trim();
    if (!text || $("send").disabled) return;
    this.box.value = "";
    this.toldTyping = 0;
    this.deliver(this.threads.current, "say", { text }, text);
    this.showState();
  }

  async shareAll(files) {
    const thread = this.threads.current;
    if (!thread || thread.isGone) return;
    for (const file of files) {
      try {
        const blob = await this.fitting(file);
        const image = await blob.arrayBuffer();
        this.deliver(thread, "image", { type: blob.type, image }, image);
      } catch (_) {
        const most = (this.limits.image_bytes / 1e6).toLocaleString();
        notice(`“${file.name}” cannot be shared. PNG, JPEG, GIF and WebP images can, up to ${most} MB.`);
      }
    }
  }

  /** The file, or a smaller picture of it if the server, or the way there, would not take it. */
  async fitting(file) {
    if (!/^image\/(?:png|jpeg|gif|webp)$/.test(file.type)) throw new TypeError("not such an image");
    const most = chosenTransport === "jsonp" ? MOST_JSONP_BYTES : this.limits.image_bytes;
    let blob = file;
    for (const side of SMALLER_SIDES) {
      if (blob.size <= most) break;
      blob = await smaller(file, side);
    }
    return blob;
  }

  /** Show it at once as being sent; the acknowledgement says whether it was. */
  async deliver(thread, event, content, payload) {
    const again = () => this.deliver(thread, event, content, payload);
    const item = this.conversation.send(thread, content, again);
    try {
      this.conversation.settle(item, await this.connection.request(event, thread.target, payload));
    } catch (error) {
      this.conversation.lose(thread, item, error.message);
    }
  }
}

async function smaller(file, longestSide) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
}
