// Why something is not there in a browser that plays the ordinary way, and what to do.

import type { ComponentChildren } from "preact";

import type { Session } from "../../session/session";

interface Props {
  session: Session;
  /** What is missing. */
  children: ComponentChildren;
}

export function WithoutEngine({ session, children }: Props) {
  const engine = session.port?.engine;
  const reload = engine?.failure !== null && engine?.failure !== undefined;
  return (
    <p class="help">
      {children}{" "}
      {reload
        ? "The engine stopped here; reload the page to start it again."
        : "This browser plays without it. A newer Chrome, Edge or Firefox has what it needs, and so has the vjam app."}
    </p>
  );
}
