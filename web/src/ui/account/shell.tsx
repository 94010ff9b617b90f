// What the account pages share: the way back, a heading that gets the focus when it changes, and the
// title in the browser's tab.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Brand } from "../brand";
import { Footer } from "../footer";

interface Props {
  title: string;
  lead?: ComponentChildren;
  children: ComponentChildren;
}

export function Shell({ title, lead, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Each step is a page to whoever listens instead of looking: its heading is read out.
  useEffect(() => {
    document.title = `${title} · vjam`;
    heading.current?.focus();
  }, [title]);
  return (
    <div class="page">
      <header class="site">
        <Brand />
      </header>
      <main class="narrow account">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
        {children}
      </main>
      <Footer />
    </div>
  );
}
