// The page: follows the gateway, shows what it tells, says what changed.

import { hold } from "./access.js";
import { Details } from "./details.js";
import { searching } from "./journal.js";
import { StatusMap } from "./map.js";
import { follow } from "./stream.js";
import { show as showTables } from "./tables.js";
import { clock, several, word } from "./text.js";

const $ = (id) => document.getElementById(id);

let latest = null;
let following = null;
const statuses = new Map();

const map = new StatusMap($("map"), choose);
const details = new Details($("details"), (name) => {
  map.select(null);
  document.querySelector(`[data-system="${CSS.escape(name)}"]`)?.focus();
});

function choose(name) {
  if (details.name === name) return details.close();
  map.select(name);
  details.open(name, latest);
}

function shown(told) {
  latest = told;
  notice(null);
  map.show(told);
  showTables($("tables-body"), told);
  if (details.name) details.show(told);
  $("moment").textContent = `at ${clock(told.at)}`;
  overall(told.systems);
  news(told.systems);
}

function overall(systems) {
  const down = systems.filter((one) => one.status === "DOWN");
  const degraded = systems.filter((one) => one.status === "DEGRADED");
  const parts = [];
  if (down.length) parts.push(`${down.map((one) => one.name).join(", ")} down`);
  if (degraded.length) parts.push(`${degraded.map((one) => one.name).join(", ")} degraded`);
  const place = $("overall");
  place.dataset.status = down.length ? "DOWN" : degraded.length ? "DEGRADED" : "UP";
  place.textContent = parts.join("; ") || `No trouble with ${several(systems.length, "system")}`;
  document.title = `${parts.length ? "⚠ " : ""}${place.textContent} – Passerelle status`;
}

// What changed since the last look, for those who do not see the colours change.
function news(systems) {
  const changed = systems.filter((one) => statuses.has(one.name) && statuses.get(one.name) !== one.status);
  for (const one of systems) statuses.set(one.name, one.status);
  if (!changed.length) return;
  $("news").textContent = changed
    .map((one) => `${one.name} is ${word(one.status)}${one.impact ? `, ${several(one.impact.customers, "customer")} touched` : ""}.`)
    .join(" ");
}

function notice(text) {
  $("notice").hidden = text === null;
  if (text !== null) $("notice").textContent = text;
}

function live(isLive) {
  $("live").dataset.live = isLive ? "on" : "off";
  $("live").textContent = isLive ? "live" : "connecting …";
}

function start() {
  following?.abort();
  following = new AbortController();
  follow(
    {
      map: shown,
      live,
      refused(problem) {
        $("live").textContent = "not connected";
        notice(problem.message);
        $("access").open = true;
      },
    },
    following.signal,
  );
}

$("access-form").addEventListener("submit", (event) => {
  event.preventDefault();
  hold($("kind").value, $("credential").value.trim());
  $("credential").value = "";
  $("access").open = false;
  start();
});
$("forget").addEventListener("click", () => {
  hold(null, null);
  $("credential").value = "";
  start();
});
new ResizeObserver(() => latest && map.show(latest)).observe($("map"));
searching($("search-form"), $("found"));
start();
