// A page that shows a practice's clients and follows everything by one recipe of docs/frontends.md. It says what comes
// to it, a line of JSON each: the page loaded, an event applied, how a subscription ended, and what is shown at its end.
import { key, say } from "./given.mjs";
import { follow } from "./follow.mjs";

const CLIENTS = "{ clients(first: 200) { nodes { id name } eventCursor } }";
const STAYS_MS = 5_000; // whoever came back after its end would do so by then

process.stdin.on("end", () => process.exit(1)).resume(); // whoever opened this page is gone

const shown = new Map();
const { ask, run } = await recipe(process.argv[2]);
await run();
say({ shown: Object.fromEntries(shown) });
await new Promise((wait) => setTimeout(wait, STAYS_MS));
process.exit(0);

async function recipe(name) {
  if (name === "alone") return { ask: byHand, run: alone };
  if (name === "graphql-ws") return { ask: byHand, run: () => followed("./sockets.mjs") };
  if (name === "urql") {
    const [{ urql }, { gql }] = await Promise.all([import("./urql.mjs"), import("@urql/core")]);
    const ask = async () => settled(await urql.query(gql(CLIENTS), {}, { requestPolicy: "network-only" }).toPromise());
    return { ask, run: () => followed("./urql.mjs") };
  }
  const [{ apollo }, { gql }] = await Promise.all([import("./apollo.mjs"), import("@apollo/client")]);
  const ask = async () => settled(await apollo.query({ query: gql(CLIENTS), fetchPolicy: "network-only" }));
  return { ask, run: () => followed("./apollo.mjs") };
}

async function followed(module) {
  const [{ turn }, { sockets }] = await Promise.all([import(module), import("./sockets.mjs")]);
  sockets.on("connected", () => say({ connected: true }));
  const told = async (after, takes) => {
    const ended = await turn(after, takes);
    say({ ended: ended ?? null });
    return ended;
  };
  await follow(told, loadPage, apply);
}

// One subscription that the package begins again by itself, each time from the first cursor.
async function alone() {
  const [{ client }, { EVENTS }] = await Promise.all([import("./alone.mjs"), import("./given.mjs")]);
  const [after, seen] = [await loadPage(), new Set()];
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
  const { nodes, eventCursor } = (await ask()).clients;
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

async function byHand() {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ query: CLIENTS });
  return settled(await (await fetch(process.env.GRAPHQL_URL, { method: "POST", headers, body })).json());
}

function settled({ data, error, errors }) {
  if (error ?? errors) throw new Error(`the page was not loaded: ${JSON.stringify(error ?? errors)}`);
  return data;
}
