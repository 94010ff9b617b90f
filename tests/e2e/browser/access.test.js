// What a phone, a keyboard and a screen reader meet: no page is wider than its window, axe finds
// nothing to complain of, and every control can be reached by Tab.

import { everyControlIsReached, isAccessible } from "./access.js";
import { openChromium, openPage } from "./browsers.js";
import { joinNative, startServer } from "./harness.js";
import { joined, roomLink } from "./our_page.js";
import { inRealTime } from "./real_time.js";

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } };

inRealTime("join page and room fit, read well, and can be used by keyboard, on a phone and at a desk", async (undo) => {
  const server = await startServer(undo);
  await joinNative(undo, server, { room: "access", name: "Ann", plays: "late-bus-piano" });
  const browser = await openChromium(undo, "harbor-oboe");
  for (const [size, viewport] of Object.entries(SIZES)) {
    const page = await openPage(undo, browser, `${server.url}/r/access`, { viewport });
    // The browser may record already, so the input's level is shown without being asked for.
    await page.getByLabel("Your input").waitFor();
    await isAccessible(page, `the join page of a ${size}`);
    await everyControlIsReached(page, `the join page of a ${size}`);

    const room = await openPage(undo, browser, roomLink(server, "access", "Bob"), { viewport });
    await joined(room, "Bob");
    await isAccessible(room, `the room of a ${size}`);
    await everyControlIsReached(room, `the room of a ${size}`);
    if (size === "phone") {
      await room.getByRole("button", { name: /^Chat/ }).click();
      await isAccessible(room, "the conversation of a phone");
      await everyControlIsReached(room, "the conversation of a phone");
    }
  }
});
