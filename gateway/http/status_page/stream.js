// Server-sent events over fetch, because EventSource sends no credentials. Comes back by itself.

import { ask, Refused } from "./access.js";

const SILENCE = 40_000;
const WAITS = [1000, 2000, 5000, 10_000];

// told: { map(object), live(boolean), refused(Refused) }. Ends when the signal says so.
export async function follow(told, signal) {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await listen((message) => {
        failures = 0;
        told.live(true);
        told.map(message);
      }, signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof Refused && problem.status < 429) {
        told.live(false);
        told.refused(problem);
        return;
      }
    }
    told.live(false);
    await pause(WAITS[Math.min(failures, WAITS.length - 1)], signal);
    failures += 1;
  }
}

async function listen(heard, outer) {
  const watch = new AbortController();
  const signal = AbortSignal.any([outer, watch.signal]);
  let timer = setTimeout(() => watch.abort(), SILENCE);
  try {
    const answer = await ask("status/events", signal);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => watch.abort(), SILENCE);
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const lines = part.split("\n").filter((line) => line.startsWith("data:"));
        if (lines.length) heard(JSON.parse(lines.map((line) => line.slice(5)).join("\n")));
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(time, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, time);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
