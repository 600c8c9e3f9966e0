// What the recipes of docs/frontends.md take as given: the subscription, and a key that is valid now.
import { readFileSync } from "node:fs";

export const EVENTS = readFileSync(new URL("events.graphql", import.meta.url), "utf8");

export const say = (what) => process.stdout.write(`${JSON.stringify({ at: Date.now() / 1000, ...what })}\n`);

export const key = read();

export async function token() {
  const now = read();
  say({ token: now === key ? "first" : "next" });
  return now;
}

function read() {
  return readFileSync(process.env.KEY_FILE, "utf8");
}
