// Measuring: the round trip by acknowledgements, drawn as a line, and the server's own figures.

import { $ } from "./dom.js";

const EVERY = 1000;
const OFTEN = 200;
const SAMPLES = 60;
const MINUTE = 60000;
const WIDTH = 200;
const HEIGHT = 44;
const PLACES = ["", "hood-"]; // both views show the round trip

export class Meter {
  constructor(connection) {
    this.connection = connection;
    this.samples = [];
    this.peaks = []; // {at, trip} of the last minute, each longer than those after it
    this.measureEvery(EVERY);
    connection.addEventListener("state", () => {
      this.showState();
      if (this.samples.length === 0) this.begin();
    });
    $("measure").addEventListener("click", () => this.measure(50));
    this.showState();
  }

  /** Under the hood one looks more closely. */
  set isClose(isClose) {
    this.measureEvery(isClose ? OFTEN : EVERY);
  }

  measureEvery(milliseconds) {
    clearInterval(this.timer);
    this.timer = setInterval(() => this.sample(), milliseconds);
  }

  async roundTrip() {
    const before = performance.now();
    await this.connection.request("echo");
    return performance.now() - before;
  }

  /** A few at once, so that there is a line from the start. */
  async begin() {
    while (this.connection.isUp && this.samples.length < 5) {
      const before = this.samples.length;
      await this.sample();
      if (this.samples.length === before) return; // hidden, or lost again
    }
  }

  async sample() {
    if (!this.connection.isUp || document.hidden) return;
    try {
      const trip = await this.roundTrip();
      this.samples.push(trip);
      this.notePeak(trip);
    } catch (_) {
      return; // the connection's own state says what is wrong
    }
    this.samples = this.samples.slice(-SAMPLES);
    this.draw();
  }

  notePeak(trip) {
    const at = performance.now();
    this.peaks = this.peaks.filter((peak) => at - peak.at < MINUTE && peak.trip > trip);
    this.peaks.push({ at, trip });
  }

  /** One after the other, so that each is a whole round trip and not a place in a queue. */
  async measure(count) {
    const trips = [];
    $("measure").disabled = true;
    try {
      while (trips.length < count) {
        trips.push(await this.roundTrip());
        $("measurement").textContent = `measuring ${trips.length} of ${count}…`;
      }
      trips.sort((a, b) => a - b);
      const [least, middle, most] = [0, count >> 1, count - 1].map((index) => shown(trips[index]));
      $("measurement").textContent = `${count} trips: ${least} least, ${middle} median, ${most} most (ms)`;
    } catch (error) {
      $("measurement").textContent = error.message;
    }
    this.showState();
  }

  showState() {
    const { isUp } = this.connection;
    $("measure").disabled = !isUp;
    if (!isUp) {
      this.samples = [];
      this.draw();
    }
  }

  draw() {
    const { samples } = this;
    const most = Math.max(...samples, 1);
    const step = WIDTH / Math.max(samples.length - 1, 1); // the whole width, however few there are
    const points = samples.map((sample, index) => {
      const x = WIDTH - (samples.length - 1 - index) * step;
      const y = HEIGHT - 3 - (sample / most) * (HEIGHT - 8);
      return [x.toFixed(1), y.toFixed(1)];
    });
    const line = points.map(([x, y]) => `${x} ${y}`).join("L");
    const area = points.length ? `M${points[0][0]} ${HEIGHT}L${line}L${WIDTH} ${HEIGHT}Z` : "";
    for (const place of PLACES) {
      $(`${place}latency`).textContent = samples.length ? shown(samples[samples.length - 1]) : "–";
      $(`${place}sparkline`).toggleAttribute("data-drawn", samples.length > 1);
      $(`${place}spark-line`).setAttribute("d", points.length ? `M${line}` : "");
      $(`${place}spark-area`).setAttribute("d", area);
      $(`${place}sparkline`).setAttribute("aria-label", `Round trips lately: at most ${shown(most)} milliseconds`);
    }
    $("hood-peak").textContent = this.peaks.length ? shown(this.peaks[0].trip) : "–";
  }
}

export function showFigures(figures) {
  for (const name of ["clients", "rooms", "messages", "events"]) {
    $(`figure-${name}`).textContent = figures[name].toLocaleString();
  }
  $("figure-uptime").textContent = duration(figures.uptime);
}

const shown = (milliseconds) => milliseconds.toFixed(milliseconds < 10 ? 1 : 0);

function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
