// A push service for the tests of the server: `node double.mjs`. It says its origin on the first line, and ends when its
// input does. It is as strict as the strictest of the real ones, and unlike them it also is the browser: it has the keys,
// and reads what arrives with another implementation than ours (http_ece).

import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

import ece from "http_ece";

const browsers = new Map();
let arrived = [];
/** What is answered next, instead of 201. */
let answers = [];
let requests = 0;

const b64 = (bytes) => bytes.toString("base64url");

/** A browser that subscribed with the server's key. */
function subscribe(key) {
  const ecdh = createECDH("prime256v1");
  const browser = { key, ecdh, p256dh: b64(ecdh.generateKeys()), auth: b64(randomBytes(16)) };
  const id = b64(randomBytes(32));
  browsers.set(id, browser);
  return { endpoint: `${origin}/push/${id}`, p256dh: browser.p256dh, auth: browser.auth };
}

/** What the token says, if it was signed with the key that the browser subscribed with (RFC 8292). */
function claimsOf(authorization, browser) {
  const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(authorization ?? "") ?? [];
  if (token === undefined) throw new Refusal(401, "no token");
  if (key !== browser.key) throw new Refusal(403, "another key");
  const [header, claims, signature] = token.split(".");
  const { alg, typ } = JSON.parse(Buffer.from(header, "base64url"));
  if (alg !== "ES256" || typ !== "JWT") throw new Refusal(401, "another algorithm");
  const point = Buffer.from(key, "base64url");
  if (point.length !== 65 || point[0] !== 4) throw new Refusal(401, "no point");
  const jwk = { kty: "EC", crv: "P-256", x: b64(point.subarray(1, 33)), y: b64(point.subarray(33)) };
  const publicKey = createPublicKey({ key: jwk, format: "jwk" });
  const signed = Buffer.from(`${header}.${claims}`);
  const good = verify("sha256", signed, { key: publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  if (!good) throw new Refusal(403, "a wrong signature");
  const said = JSON.parse(Buffer.from(claims, "base64url"));
  if (said.aud !== origin) throw new Refusal(403, "meant for another service");
  if (!/^(mailto:.+@.+|https:.+)$/.test(said.sub ?? "")) throw new Refusal(403, "nobody to write to");
  return said;
}

class Refusal extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

function receive(id, headers, body) {
  const browser = browsers.get(id);
  if (browser === undefined) throw new Refusal(410, "no such browser");
  const claims = claimsOf(headers.authorization, browser);
  const { ttl, urgency, topic } = headers;
  if (!/^\d+$/.test(ttl ?? "")) throw new Refusal(400, "no TTL");
  if (!["very-low", "low", "normal", "high"].includes(urgency)) throw new Refusal(400, "no urgency");
  if (!/^[\w-]{1,32}$/.test(topic ?? "")) throw new Refusal(400, "no topic");
  if (headers["content-encoding"] !== "aes128gcm") throw new Refusal(415, "another encoding");
  if (4096 < body.length) throw new Refusal(413, "too long");
  const text = ece.decrypt(body, { version: "aes128gcm", privateKey: browser.ecdh, authSecret: browser.auth });
  const raw = body.toString("latin1");
  arrived.push({ id, claims, ttl: Number(ttl), urgency, topic, bytes: body.length, raw, text: text.toString() });
}

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

const controls = {
  browser: ({ key }) => subscribe(key),
  answer: (next) => void (answers = next),
  arrived: () => {
    const list = arrived;
    arrived = [];
    return list;
  },
  requests: () => requests,
};

const server = http.createServer(async (request, response) => {
  const body = await bodyOf(request);
  const [, first, second] = request.url.split("/");
  if (first === "control") {
    const answer = controls[second](body.length === 0 ? {} : JSON.parse(body));
    return response.end(JSON.stringify(answer ?? null));
  }
  requests += 1;
  const next = answers.shift();
  if (next !== undefined) return response.writeHead(next.status, next.headers ?? {}).end("no");
  try {
    if (first !== "push" || request.method !== "POST") throw new Refusal(404, "nothing here");
    receive(second, request.headers, body);
    response.writeHead(201, { Location: `${origin}/message/${b64(randomBytes(8))}` }).end();
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    response.writeHead(error.status ?? 400).end(error.message);
  }
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const origin = `http://127.0.0.1:${server.address().port}`;
process.stdout.write(`${origin}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
