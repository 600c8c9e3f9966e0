// A page that shows a practice's clients and follows everything by one recipe of docs/frontends.md. It says what comes
// to it, a line of JSON each: the page loaded or not, an event applied, how a subscription ended, and what is shown at
// its end.
import { say } from "./given.mjs";
import { follow } from "./follow.mjs";

const CLIENTS = "{ clients(first: 200) { nodes { id name } eventCursor } }";
const STAYS_MS = 5_000; // whoever came back after its end would do so by then

process.stdin.on("end", () => process.exit(1)).resume(); // whoever opened this page is gone

const shown = new Map();
const name = process.argv[2];
const { ask } = await import(name === "alone" ? "./sockets.mjs" : `./${name}.mjs`);
await (name === "alone" ? alone() : followed(`./${name}.mjs`));
say({ shown: Object.fromEntries(shown) });
await new Promise((wait) => setTimeout(wait, STAYS_MS));
process.exit(0);

async function followed(module) {
  const [{ turn }, { sockets }] = await Promise.all([import(module), import("./sockets.mjs")]);
  sockets.on("connected", () => say({ connected: true }));
  const told = async (after, takes) => {
    const ended = await turn(after, takes);
    say({ ended: ended.code ?? null, retryAfter: ended.retryAfter });
    return ended;
  };
  await follow(told, loadPage, apply);
}

// One subscription that the package begins again by itself, each time from the first cursor.
async function alone() {
  const [{ client }, { EVENTS }] = await Promise.all([import("./alone.mjs"), import("./given.mjs")]);
  const [after, seen] = [await loadPage(), new Set()];
  client.on("connecting", () => say({ connecting: true }));
  client.on("connected", () => say({ connected: true }));
  client.on("closed", (event) => say({ closed: event?.code ?? null }));
  const ended = await new Promise((resolve) => {
    client.subscribe({ query: EVENTS, variables: { after } }, {
      next({ data, errors }) {
        if (errors) return resolve(errors[0].extensions.code);
        const event = data.connectionEvents;
        if (seen.has(event.cursor)) return say({ again: event.cursor });
        seen.add(event.cursor);
        apply(event);
      },
      error: (event) => resolve(event?.code),
      complete: () => resolve("COMPLETE"),
    });
  });
  say({ ended: ended ?? null });
}

async function loadPage() {
  const { nodes, eventCursor } = (await asked()).clients;
  shown.clear();
  for (const { id, name } of nodes) shown.set(id, name);
  say({ loaded: eventCursor });
  return eventCursor;
}

function apply({ cursor, kind, clientId, client }) {
  if (client) shown.set(client.id, client.name);
  else shown.delete(clientId);
  say({ event: [cursor, kind, clientId] });
}

async function asked() {
  try {
    return await ask(CLIENTS, {});
  } catch (error) {
    say({ unloaded: error.code ?? null, retryAfter: error.retryAfter });
    throw error;
  }
}
