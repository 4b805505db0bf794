// The buttons that the application has registered.
import { confirmIn, make, write } from "./dom.js";

export class Actions {
  constructor(ask, root) {
    this.ask = ask;
    this.root = root;
    this.element = make("div", { class: "actions" });
    this.shown = null;
  }

  /** Those that are shown already stay, with what was typed and answered: the page has reconnected. */
  show(actions) {
    if (JSON.stringify(actions) === this.shown) return;
    this.shown = JSON.stringify(actions);
    this.element.replaceChildren(...actions.map((action) => this.form(action)));
    if (!actions.length) this.element.append(make("p", { class: "empty" }, "There are none."));
  }

  form(action) {
    const fields = action.arguments.map((argument) => field(argument));
    const result = make("output", { class: "result" });
    const button = make("button", { type: "submit", class: action.danger ? "danger" : null }, action.label);
    const run = async (event) => {
      event.preventDefault();
      if (action.danger && !(await confirmIn(this.root, `${action.label}? ${action.description}`, action.label))) return;
      button.disabled = true;
      write(result, "It runs …");
      const given = Object.fromEntries(fields.map(({ argument, read }) => [argument.name, read()]));
      const answer = await this.ask("action", action.label, given);
      button.disabled = false;
      result.classList.toggle("failed", Boolean(answer.error));
      write(result, answer.error ?? (answer.done || "Done."));
    };
    return make("form", { class: "action", "data-action": action.label, onsubmit: run },
      make("p", {}, action.description || null),
      ...fields.map((one) => one.element), button, result);
  }
}

function field(argument) {
  const { kind, name, value } = argument;
  const input = make("input", {
    type: { boolean: "checkbox", text: "text" }[kind] ?? "number",
    step: { integer: "1", number: "any" }[kind],
    maxlength: kind === "text" ? "1000" : null,
    required: kind === "integer" || kind === "number",
  });
  if (kind === "boolean") input.checked = value;
  else input.value = value;
  const read = () => {
    if (kind === "boolean") return input.checked;
    return kind === "text" ? input.value : Number(input.value);
  };
  return { argument, read, element: make("label", {}, `${name.replaceAll("_", " ")} `, input) };
}
