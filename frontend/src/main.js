// Runs before the editor is loaded: an authorization code leaves the address bar first of all.

import { takeArrival } from "./arrival.js";

const arrival = takeArrival();
const { start } = await import("./page.jsx");
await start(arrival);
