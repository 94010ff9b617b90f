// A browser that signs in with the provider: `node visit.mjs URL NAME`. It says where it is led back to.

const [start, name] = process.argv.slice(2);
const home = new URL(start).origin;
const cookies = new Map();
let [url, form] = [start, null];
for (let step = 0; step < 20; step += 1) {
  const headers = { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join("; ") };
  if (form !== null) headers["content-type"] = "application/x-www-form-urlencoded";
  const response = await fetch(url, { method: form === null ? "GET" : "POST", body: form, headers, redirect: "manual" });
  for (const cookie of response.headers.getSetCookie()) {
    const [, key, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    if (value === "") cookies.delete(key);
    else cookies.set(key, value);
  }
  const location = response.headers.get("location");
  if (location !== null) {
    const to = new URL(location, url);
    if (to.origin !== home) {
      process.stdout.write(`${to}\n`);
      process.exit(0);
    }
    [url, form] = [to.href, null];
    continue;
  }
  const page = await response.text();
  const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
  const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
  if (action === undefined || prompt === undefined) throw new Error(`${response.status} ${page}`);
  [url, form] = [new URL(action, url).href, new URLSearchParams({ prompt, login: name, password: "any" }).toString()];
}
throw new Error("it never leads back");
