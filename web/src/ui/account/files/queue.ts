// The uploads of this tab. They outlast the page that began them, not whoever is signed in.

import { effect } from "@preact/signals";

import { used } from "../../../account/telling/teller";
import { uploadWorld } from "../../../account/upload_server";
import { isOnItsWay, Uploads } from "../../../account/uploads";
import { who } from "../../../account/who";

export const uploads = new Uploads(uploadWorld);

uploads.arrived.subscribe((file) => {
  if (file !== null) used("file");
});

let before = who.peek();
who.subscribe((name) => {
  if (before !== null && name === null) uploads.clear();
  before = name;
});

effect(() => {
  if (uploads.entries.value.some(isOnItsWay)) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
});

/** Leaving would break them off. */
function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
