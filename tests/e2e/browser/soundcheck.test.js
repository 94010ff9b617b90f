// The sound check of the join screen, in a real browser against a real server: through its button only.

import assert from "node:assert/strict";
import path from "node:path";

import { openChromium, openPage } from "./browsers.js";
import { eventually, joinNative, OUT, seconds, startServer } from "./harness.js";
import { joined, joinLink } from "./our_page.js";
import { inRealTime } from "./real_time.js";

inRealTime("a sound check ends in what it would be with who is there", async (undo) => {
  const server = await startServer(undo);
  const ann = await joinNative(undo, server, { room: "stage", name: "Ann", plays: "late-bus-piano" });
  // By then her program knows how far the server is.
  await seconds(5);
  const bob = await openPage(undo, await openChromium(undo, "harbor-oboe"), joinLink(server, "stage"));
  await bob.getByLabel("Your input").waitFor();
  const check = bob.getByRole("region", { name: "Sound check" });
  await check.getByRole("button", { name: "Start the sound check" }).focus();
  await bob.keyboard.press("Enter");
  const verdict = check.getByText(/^You and Ann: \d+ ms, /);
  await verdict.waitFor({ timeout: 60_000 });
  await bob.screenshot({ path: path.join(OUT, "soundcheck.png"), fullPage: true });
  const said = await check.getByRole("status").innerText();
  // The browser's microphone hears no loudspeaker, and nothing is between it and the server.
  assert.match(said, /Loudspeaker\. Nothing of what was played comes back\./);
  assert.match(said, /Network\. \d+\.\d ms to the server and back; /);
  // Nobody noticed.
  assert.deepEqual(await ann.remotes(), []);

  // What the check opened is closed, and the input is still there to be taken along.
  await bob.getByLabel("Your name").fill("Bob");
  await bob.getByRole("button", { name: "Join", exact: true }).click();
  await joined(bob, "Bob");
  await eventually("Ann hears Bob alone", async () => {
    const remotes = await ann.remotes();
    if (remotes.length !== 1 || remotes[0].name !== "Bob") throw new Error(JSON.stringify(remotes));
    return true;
  });
});
