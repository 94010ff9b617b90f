// The two places where the page of a room meets what is only for those who are signed in. It is loaded when
// it is needed, and never for guests.

import { who } from "../account/who";
import type { Session } from "../session/session";

/** What was done before joining, to be counted with the visit. */
const done = new Set<"soundcheck">();

export function soundChecked(): void {
  done.add("soundcheck");
}

/** Has friends told that somebody plays, and counts what they use, until what comes back is called. */
export function accompanied(session: Session): () => void {
  if (who.peek() === null) return () => {};
  let end = () => {};
  let isOver = false;
  import("../account/telling/beside").then(({ accompany }) => {
    if (isOver) return;
    end = accompany(session, done);
    done.clear();
  }, () => {});
  return () => {
    isOver = true;
    end();
  };
}

/** Reports what crashes in this page. */
export function watchCrashes(): void {
  const crashed = (cause: unknown) => {
    if (who.peek() === null) return;
    import("../account/telling/teller").then(({ crashed }) => crashed(cause), () => {});
  };
  addEventListener("error", ({ error }) => crashed(error));
  addEventListener("unhandledrejection", ({ reason }) => crashed(reason));
}
