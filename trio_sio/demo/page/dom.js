// Small helpers to build the page. Whatever visitors wrote becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

/** Whether the chat can be seen: the page is in front, and shows this one of its views. */
export const isChatSeen = () => !document.hidden && !$("app").hidden;

const titles = { app: "", hood: "" };

/** The title of one view; the page has that of the view it shows. */
export function entitle(view, title) {
  titles[view] = `${title} · trio_sio demo`;
  retitle();
}

export function retitle() {
  document.title = $("hood").hidden ? titles.app : titles.hood;
}

/** make("li.mine", {title: "…"}, child, …): an element with classes, properties and children. */
export function make(selector, properties = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  element.classList.add(...classes);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(element.dataset, value);
    else if (name.startsWith("aria-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** The same name has the same colour on every screen. */
export function hue(name) {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 3600;
  return sum % 360;
}

export function avatar(name, size = "") {
  const circle = make(`span.avatar${size}`, { "aria-hidden": "true" });
  showAvatar(circle, name);
  return circle;
}

export function showAvatar(circle, name) {
  const words = name.split(" ").filter((word) => !/^\d+$/.test(word));
  const first = (word) => Array.from(word || "")[0] || "";
  circle.textContent = (first(words[0] || name) + first(words[1])).toUpperCase();
  circle.style.setProperty("--hue", hue(name));
}

export function badge(count) {
  const words = `${count} unread`;
  return make("span.badge", { textContent: count > 99 ? "99+" : count, title: words, "aria-label": words });
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export const time = (milliseconds) => clock.format(milliseconds);

/** Text with its web addresses as links: a list of strings and elements. */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"]+[^\s<>"'.,;:!?()[\]]/g)) {
    parts.push(text.slice(end, match.index));
    parts.push(make("a", { href: match[0], target: "_blank", rel: "noopener noreferrer" }, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

/** "Anna", "Anna and Ben", "Anna, Ben and 3 more". */
export function listed(names, most = 3) {
  if (names.length < 2) return names.join("");
  const shown = names.length > most ? names.slice(0, most - 1) : names.slice(0, -1);
  const rest = names.length - shown.length;
  return `${shown.join(", ")} and ${rest === 1 ? names[names.length - 1] : `${rest} more`}`;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

let noticeTimer = 0;

let forgetNotice = () => {};

/** Show a sentence for a while, with a button that acts on it; `forget` is called if nobody does. */
export function notice(sentence, { label = "", act = null, forget = () => {} } = {}) {
  const element = $("notice");
  const close = () => {
    clearTimeout(noticeTimer);
    element.hidden = true;
    const done = forgetNotice;
    forgetNotice = () => {};
    done();
  };
  close();
  forgetNotice = forget;
  const button = make("button.link", { type: "button", textContent: label });
  button.addEventListener("click", () => {
    forgetNotice = () => {};
    close();
    act();
  });
  element.replaceChildren(sentence, ...(act ? [" ", button] : []));
  element.hidden = false;
  noticeTimer = setTimeout(close, act ? 10000 : 6000);
}

/** Storage that may be forbidden, and then forgets. */
export const memory = {
  get(storage, key) {
    try {
      return JSON.parse(window[storage].getItem(key));
    } catch (_) {
      return null;
    }
  },
  set(storage, key, value) {
    try {
      window[storage].setItem(key, JSON.stringify(value));
    } catch (_) {
      // a private window, perhaps
    }
  },
};
