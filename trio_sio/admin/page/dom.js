// Elements and tables. Text of clients enters the page by `textContent` alone, never as HTML.

/** An element with attributes, properties and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Change a text only if it is another one, so that selections and readers are not disturbed. */
export function write(element, text) {
  const wanted = String(text ?? "");
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** A section with a heading. */
export function section(title, ...children) {
  const heading = make("h3", {}, title);
  return make("section", { "aria-label": title }, heading, ...children);
}

const units = ["B", "kB", "MB", "GB"];

export function bytes(count) {
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) { count /= 1000; unit += 1; }
  return `${unit && count < 10 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

export const number = (count) => Math.round(count).toLocaleString("en");

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

export function ago(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/**
 * A table whose rows are kept while their keys stay, so that the focus stays, too.
 *
 * columns: [{ label, text(row), sort?, numeric?, press?(row), name?(row) }]
 */
export class Table {
  constructor(label, columns, { key = (row, index) => index, empty = "None so far." } = {}) {
    this.columns = columns;
    this.key = key;
    this.rows = new Map();
    this.heads = columns.map((column) => this.head(column));
    this.body = make("tbody");
    this.empty = make("p", { class: "empty" }, empty);
    const caption = make("caption", {}, label);
    const table = make("table", {}, caption, make("thead", {}, make("tr", {}, ...this.heads)), this.body);
    this.frame = make("div", { class: "frame", role: "region", "aria-label": label, tabindex: "0" }, table);
    this.element = make("div", {}, this.frame, this.empty);
    this.show([]);
  }

  head(column) {
    const head = make("th", { scope: "col", class: column.numeric ? "numeric" : null });
    if (column.sort) {
      head.append(make("button", { type: "button", class: "sort", onclick: () => this.onsort?.(column) }, column.label));
    } else head.append(column.label);
    return head;
  }

  /** Mark the column by which the rows are sorted. */
  sorted(sort, descending) {
    this.columns.forEach((column, index) => {
      if (column.sort === sort) this.heads[index].setAttribute("aria-sort", descending ? "descending" : "ascending");
      else this.heads[index].removeAttribute("aria-sort");
    });
  }

  show(rows) {
    const kept = new Map();
    let after = null;
    rows.forEach((row, index) => {
      const key = this.key(row, index);
      const shown = this.rows.get(key) ?? this.line();
      shown.row = row;
      this.columns.forEach((column, at) => {
        write(shown.cells[at], column.text(row));
        if (column.name) shown.cells[at].setAttribute("aria-label", column.name(row));
      });
      kept.set(key, shown);
      const place = after ? after.nextSibling : this.body.firstChild;
      if (place !== shown.element) this.body.insertBefore(shown.element, place);
      after = shown.element;
    });
    for (const [key, shown] of this.rows) if (!kept.has(key)) shown.element.remove();
    this.rows = kept;
    this.frame.hidden = !rows.length;
    this.empty.hidden = Boolean(rows.length);
  }

  line() {
    const shown = { cells: [], row: null, element: make("tr") };
    this.columns.forEach((column, index) => {
      const cell = make(index ? "td" : "th", { scope: index ? null : "row", class: column.numeric ? "numeric" : null });
      let inner = cell;
      if (column.press) {
        inner = make("button", { type: "button", class: "link", onclick: () => column.press(shown.row) });
        cell.append(inner);
      }
      shown.cells.push(inner);
      shown.element.append(cell);
    });
    return shown;
  }
}

/** Ask before something dangerous; resolves to whether to go on. */
export function confirmIn(root, question, verb) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { "aria-label": "Confirmation" }, make("p", {}, question));
    const close = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    dialog.append(make("p", { class: "buttons" },
      make("button", { type: "button", autofocus: true, onclick: () => close(false) }, "Cancel"),
      make("button", { type: "button", class: "danger", onclick: () => close(true) }, verb)));
    dialog.addEventListener("cancel", () => close(false));
    root.append(dialog);
    dialog.showModal();
  });
}
