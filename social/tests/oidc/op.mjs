// Runs the provider for the tests of the server: `node op.mjs RETURN_TO NOW_MS [CLIENT_ID CLIENT_SECRET]`. It says
// its issuer on the first line, then a line each time that it is told that it is over, and ends when its input does.

import { once } from "node:events";
import http from "node:http";

const [returnTo, now, clientId, clientSecret] = process.argv.slice(2);
const Real = Date;
const offset = Number(now) - Real.now();
// It is the time of the tests, which stand still at another day.
globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length === 0 ? [Real.now() + offset] : given));
  }
  static now() {
    return Real.now() + offset;
  }
};
// What it warns of is what it is for.
for (const level of ["log", "info", "warn"]) console[level] = () => {};
const { provider } = await import("./provider.mjs");
const server = http.createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;
const home = provider(issuer, returnTo, clientId, clientSecret);
server.on("request", home.callback());
// Some tests read no more than the first line.
process.stdout.on("error", () => {});
home.on("grant.revoked", () => process.stdout.write("told\n"));
process.stdout.write(`${issuer}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
