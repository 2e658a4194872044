// One system: its circuits, whom it touches, its errors by cause, its latest exchanges.

import { ask } from "./access.js";
import { element, table } from "./element.js";
import { exchanges } from "./journal.js";
import { age, ago, clock, cut, milliseconds, number, openCircuits, rate, share, several, word } from "./text.js";

const AGAIN = 5000;

const GROUPS = [
  { title: "Times", kind: "number", of: (row) => number(row.count) },
  { title: "Operation", of: (row) => row.operation },
  { title: "Class", of: (row) => row.error },
  { title: "Message", kind: "long", of: (row) => row.pattern },
  { title: "Last", kind: "moment", of: (row) => clock(row.last * 1000) },
  { title: "Clients", of: (row) => row.clients?.join(", ") ?? "" },
  { title: "Customers", kind: "number", of: (row) => number(row.customers ?? 0) },
];

export class Details {
  constructor(place, closed) {
    this.place = place;
    this.closed = closed;
    this.name = null;
    this.asked = null;
    this.askedAt = 0;
  }

  open(name, map) {
    this.name = name;
    this.facts = element("div", {});
    this.journal = element("div", {}, element("p", { class: "soft" }, "Reading the journal …"));
    const close = element("button", { type: "button", class: "close", onclick: () => this.close() }, "Close");
    this.title = element("h2", { id: "details-title", tabindex: "-1" }, name);
    this.place.replaceChildren(this.title, close, this.facts, this.journal);
    this.place.hidden = false;
    this.show(map);
    this.title.focus();
    this.read();
  }

  close() {
    const name = this.name;
    this.name = null;
    this.asked?.abort();
    this.place.hidden = true;
    this.closed(name);
  }

  show(map) {
    const system = map?.systems.find((one) => one.name === this.name);
    if (!system) return;
    this.title.textContent = `${system.name} · ${system.title}`;
    if (!this.facts.contains(document.activeElement)) this.facts.replaceChildren(...facts(system), ...impact(system.impact));
    if (Date.now() - this.askedAt > AGAIN && !this.journal.contains(document.activeElement)) this.read();
  }

  async read() {
    this.askedAt = Date.now();
    this.asked?.abort();
    const mine = (this.asked = new AbortController());
    try {
      const shown = await (await ask(`status/systems/${encodeURIComponent(this.name)}`, mine.signal)).json();
      const groups = shown.errors ?? [];
      this.journal.replaceChildren(
        element("h3", {}, "Errors of the last hour, by cause"),
        groups.length ? table(`${several(groups.length, "cause")}`, GROUPS, groups) : element("p", { class: "soft" }, "None."),
        element("h3", {}, "Latest exchanges"),
        exchanges(shown, "The latest first"),
      );
    } catch (problem) {
      if (!mine.signal.aborted) this.journal.replaceChildren(element("p", { class: "notice" }, problem.message));
    }
  }
}

function facts(system) {
  const open = openCircuits(system);
  const told = [
    ["Status", element("strong", { "data-status": system.status }, `${word(system.status)}, for ${age((Date.now() - new Date(system.since)) / 1000)}`)],
    ["Last minute", `${rate(system.rate)}, p95 ${milliseconds(system.p95)}, ${share(system.errorRate)} errors, cache ${share(system.hitRate)}`],
    ["Circuits", open.length ? open.map(([name, state]) => `${name}: ${state}`).join(", ") : "all closed"],
    ["Serves", system.roles.join(", ") || "nothing"],
    ["Last success", system.lastSuccessAt ? ago(system.lastSuccessAt) : "none yet"],
  ];
  if (system.lastError) {
    const { at, code, message, requestId } = system.lastError;
    told.push(["Last error", `${code}: ${message} (${ago(at)}, request ${requestId ?? "–"})`]);
  }
  return [list(told)];
}

function impact(found) {
  const head = element("h3", {}, "Impact");
  if (!found) return [head, element("p", { class: "soft" }, "None: the system does well.")];
  const standIns = found.standIns.map((one) =>
    one.kind === "stale"
      ? `${number(one.keys)} old answers to ${one.operation}, the oldest ${age(one.seconds ?? 0)} old`
      : `${number(one.keys)} answers to ${one.operation} by ${one.source ?? "a second system"}`,
  );
  const fields = found.fields.join(", ");
  return [
    head,
    list([
      [`Last ${found.minutes} minutes`, `${several(found.customers, "customer")}, ${several(found.failed, "answer")} missing`],
      ["Operations", found.operations.join(", ") || "none"],
      ["Clients", found.clients.join(", ") || "none"],
      ["Served instead", standIns.join("; ") || "nothing"],
    ]),
    element(
      "details",
      {},
      element("summary", {}, several(found.fields.length, "field affected", "fields affected")),
      element("p", {}, element("code", {}, cut(fields, 6000))),
    ),
  ];
}

function list(told) {
  return element("dl", { class: "facts" }, ...told.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
