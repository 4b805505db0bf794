// Small charts of the last two minutes, each with its figures as text.
import { bytes, make, number, write } from "./dom.js";

const POINTS = 120;
const WIDTH = 240;
const HEIGHT = 48;
const SVG = "http://www.w3.org/2000/svg";

class Chart {
  constructor(label, text) {
    this.label = label;
    this.text = text;
    this.values = [];
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.line = document.createElementNS(SVG, "polyline");
    this.svg.append(this.line);
    this.now = make("strong");
    this.most = make("span", { class: "muted" });
    this.element = make("figure", {}, make("figcaption", {}, `${label} `, this.now, " ", this.most), this.svg);
    this.add(0);
    this.values = [];
  }

  add(value) {
    this.values.push(value);
    if (this.values.length > POINTS) this.values.shift();
    const most = Math.max(...this.values);
    const step = WIDTH / (POINTS - 1);
    const from = POINTS - this.values.length;
    this.line.setAttribute("points", this.values
      .map((one, at) => `${((from + at) * step).toFixed(1)},${(HEIGHT - 2 - (one / (most || 1)) * (HEIGHT - 4)).toFixed(1)}`)
      .join(" "));
    write(this.now, this.text(value));
    write(this.most, `most: ${this.text(most)}`);
    this.svg.setAttribute("aria-label",
      `${this.label} over two minutes: ${this.text(value)} now, ${this.text(most)} at most`);
  }
}

/** The charts; `show` takes the figures of one second. */
export class Charts {
  constructor() {
    const rate = (text) => (value) => `${text(value)}/s`;
    this.charts = {
      sessions: new Chart("Clients", number),
      events_in: new Chart("Events in", rate(number)),
      events_out: new Chart("Events out", rate(number)),
      bytes_in: new Chart("Bytes in", rate(bytes)),
      bytes_out: new Chart("Bytes out", rate(bytes)),
      queued_bytes: new Chart("Queued", bytes),
    };
    this.before = null;
    this.element = make("div", { class: "charts" }, ...Object.values(this.charts).map((one) => one.element));
  }

  show(figures) {
    const now = performance.now() / 1000;
    for (const name of ["sessions", "queued_bytes"]) this.charts[name].add(figures[name]);
    if (this.before) {
      const seconds = Math.max(now - this.before.now, 0.1);
      for (const name of ["events_in", "events_out", "bytes_in", "bytes_out"]) {
        this.charts[name].add(Math.max(figures[name] - this.before.figures[name], 0) / seconds);
      }
    }
    this.before = { now, figures };
  }
}
