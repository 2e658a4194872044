// Draws the map as SVG. What stays keeps its element, and with it the focus.

import { drawn } from "./element.js";
import { drawings, line, thickness } from "./layout.js";
import { cut, health, milliseconds, number, openCircuits, rate, share, several, word } from "./text.js";

export class StatusMap {
  constructor(place, chosen) {
    this.place = place;
    this.chosen = chosen;
    this.kept = new Map();
    this.selected = null;
  }

  show(map) {
    this.map = map;
    const width = Math.max(320, this.place.clientWidth);
    const wanted = drawings(map, width);
    this.used = new Set();
    const roots = wanted.map((one) => this.drawing(one));
    for (const [key, made] of this.kept) {
      if (!this.used.has(key)) {
        made.remove();
        this.kept.delete(key);
      }
    }
    return roots;
  }

  select(name) {
    this.selected = name;
    if (this.map) this.show(this.map);
  }

  keep(parent, key, make) {
    this.used.add(key);
    let found = this.kept.get(key);
    if (!found) {
      found = make();
      this.kept.set(key, found);
    }
    if (found.parentNode !== parent) parent.append(found);
    return found;
  }

  drawing(one) {
    const root = this.keep(this.place, one.name, () =>
      drawn("svg", { role: "group", "aria-label": LABELS[one.name] }, drawn("g"), drawn("g"), drawn("g")),
    );
    root.setAttribute("viewBox", `0 0 ${one.width} ${one.height}`);
    const [flows, boxes, texts] = root.children;
    for (const head of one.heads) this.text(texts, `${one.name}/${head.title}`, head.x, 14, head.title, "head");
    for (const head of one.heads.filter((each) => each.empty)) {
      this.text(texts, `${one.name}/${head.title}/none`, head.x, 44, "nobody asked", "small");
    }
    for (const edge of one.edges) this.flow(flows, texts, one, edge);
    for (const [key, box] of one.nodes) this.box(boxes, `${one.name}/${key}`, box);
  }

  text(parent, key, x, y, value, kind, anchor = "start") {
    const made = this.keep(parent, `text/${key}`, () => drawn("text"));
    set(made, { x, y, class: kind, "text-anchor": anchor });
    if (made.textContent !== value) made.textContent = value;
    return made;
  }

  flow(parent, texts, one, edge) {
    const key = `${one.name}/${edge.from}>${edge.to}`;
    const told = line(one.nodes.get(edge.from), one.nodes.get(edge.to));
    const made = this.keep(parent, key, () => drawn("path", { class: "flow", "aria-hidden": "true" }));
    const status = edge.status === "DOWN" ? "DOWN" : worse(edge.status, health(edge.errorRate));
    set(made, { d: told.path, "stroke-width": thickness(edge.rate), "data-status": status, "data-idle": String(edge.rate === 0) });
    if (edge.rate === 0) return;
    const errors = edge.errorRate > 0 ? `${share(edge.errorRate)} errors` : "";
    if (edge.leads === "core-system") {
      const [x, y] = told.end;
      const above = this.text(texts, `${key}/p95`, x, y - 7, `p95 ${milliseconds(edge.p95)}`, "on-flow", "end");
      above.setAttribute("data-status", status);
      if (errors) this.text(texts, `${key}/errors`, x, y + 17, errors, "on-flow", "end").setAttribute("data-status", status);
    } else if (edge.leads === "operation-core") {
      const [x, y] = told.start;
      this.text(texts, `${key}/p95`, x, y - 7, `p95 ${milliseconds(edge.p95)}`, "on-flow");
      if (errors) this.text(texts, `${key}/errors`, x, y + 17, errors, "on-flow").setAttribute("data-status", status);
    }
  }

  box(parent, key, box) {
    const made = this.keep(parent, key, () => drawn("g", {}, drawn("rect", { class: "box", rx: 8 })));
    set(made.firstElementChild, { x: box.x, y: box.y, width: box.width, height: box.height });
    DRAW[box.kind].call(this, made, key, box);
  }

  plain(made, key, box) {
    const room = Math.floor((box.width - 20) / 7.6);
    this.text(made, `${key}/name`, box.x + 10, box.y + 17, cut(box.node.name, room), "");
    const bad = box.node.errorRate > 0 ? ` · ${share(box.node.errorRate)} errors` : "";
    const fits = bad && bad.length + 8 > (box.width - 20) / 6.3 ? bad.slice(3) : rate(box.node.rate) + bad;
    this.text(made, `${key}/rate`, box.x + 10, box.y + 33, fits, "small");
    set(made, { role: "img", "aria-label": `${box.node.name}: ${rate(box.node.rate)}${bad}` });
    made.setAttribute("data-status", health(box.node.errorRate));
  }

  core(made, key, box) {
    const { node } = box;
    const lines = [
      rate(node.rate),
      `p95 ${milliseconds(node.p95)}`,
      `cache ${share(node.hitRate)}`,
      node.shed > 0 ? `${number(node.shed)} shed` : `${number(node.underWay)} under way`,
    ];
    this.text(made, `${key}/name`, box.x + 10, box.y + 20, "Gateway", "");
    lines.forEach((each, place) => this.text(made, `${key}/${place}`, box.x + 10, box.y + 42 + 19 * place, each, "small"));
    set(made, { role: "img", "aria-label": `Gateway: ${lines.join(", ")}` });
  }

  system(made, key, box) {
    const { node } = box;
    const open = openCircuits(node);
    const room = Math.floor((box.width - 40) / 7.6);
    set(made, {
      class: "system",
      role: "button",
      tabindex: 0,
      "data-status": node.status,
      "data-system": node.name,
      "aria-pressed": String(this.selected === node.name),
      "aria-label": spoken(node, open),
    });
    if (!made.dataset.ready) this.listen(made, node.name);
    const mark = this.keep(made, `${key}/mark`, () => drawn("path", { class: "mark" }));
    mark.setAttribute("d", MARKS[node.status](box.x + 17, box.y + 18));
    this.text(made, `${key}/name`, box.x + 31, box.y + 23, cut(`${node.name} · ${node.title}`, room), "");
    const second = node.rate > 0 ? `${word(node.status)} · ${rate(node.rate)}` : word(node.status);
    this.text(made, `${key}/rate`, box.x + 12, box.y + 45, second, "small");
    const third = open.length ? several(open.length, "circuit open", "circuits open") : `cache ${share(node.hitRate)}`;
    this.text(made, `${key}/third`, box.x + 12, box.y + 65, third, open.length ? "small bad" : "small");
  }

  listen(made, name) {
    made.dataset.ready = "yes";
    made.addEventListener("click", () => this.chosen(name));
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.chosen(name);
    });
  }
}

const DRAW = {
  caller: StatusMap.prototype.plain,
  operation: StatusMap.prototype.plain,
  core: StatusMap.prototype.core,
  system: StatusMap.prototype.system,
};

const LABELS = {
  whole: "Callers, operations, the gateway and the systems behind it",
  asks: "Callers and their operations",
  systems: "The gateway and the systems behind it",
};

// Not told by colour alone: a disc, a triangle, a cross, a ring.
const MARKS = {
  UP: (x, y) => disc(x, y, 7),
  DEGRADED: (x, y) => `M${x} ${y - 8}L${x + 9} ${y + 7}H${x - 9}Z`,
  DOWN: (x, y) =>
    `M${x - 8} ${y - 5}l3 -3 5 5 5 -5 3 3 -5 5 5 5 -3 3 -5 -5 -5 5 -3 -3 5 -5Z`,
  UNKNOWN: (x, y) => `${disc(x, y, 7)}M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z`,
};

function disc(x, y, radius) {
  return `M${x - radius} ${y}a${radius} ${radius} 0 1 1 ${2 * radius} 0a${radius} ${radius} 0 1 1 ${-2 * radius} 0Z`;
}

function spoken(node, open) {
  const parts = [`${node.name}, ${node.title}: ${word(node.status)}`, rate(node.rate)];
  if (node.rate > 0) parts.push(`95th percentile ${milliseconds(node.p95)}`, `${share(node.errorRate)} errors`);
  if (node.hitRate !== null) parts.push(`cache ${share(node.hitRate)}`);
  if (open.length) parts.push(several(open.length, "circuit open", "circuits open"));
  return `${parts.join(", ")}. Show exchanges, errors and impact.`;
}

const ORDER = ["UP", "UNKNOWN", "DEGRADED", "DOWN"];

function worse(one = "UP", other = "UP") {
  return ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}

function set(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (made.getAttribute(name) !== text) made.setAttribute(name, text);
  }
}
