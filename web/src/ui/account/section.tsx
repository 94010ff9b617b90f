// One part of the settings: a card with a heading, and a line that says when it is done.

import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  /** What was done, as long as it is new. */
  done?: string;
  children: ComponentChildren;
}

export function Section({ title, done = "", children }: Props) {
  const id = `section-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
      <p class="done" role="status">
        {done}
      </p>
    </section>
  );
}
