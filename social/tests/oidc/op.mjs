// Runs the provider for the tests of the server: `node op.mjs RETURN_TO NOW_MS`. It says its issuer on the
// first line, and ends when its input does.

import { once } from "node:events";
import http from "node:http";

const [returnTo, now] = process.argv.slice(2);
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
server.on("request", provider(issuer, returnTo).callback());
process.stdout.write(`${issuer}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
