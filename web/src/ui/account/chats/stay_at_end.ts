// Keeps whoever reads the last message there, though the field below grows or a picture comes late.

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** `changes` when the list has other items. */
export function useStayAtEnd(list: RefObject<HTMLElement | null>, atEnd: RefObject<boolean>, changes: unknown[]): void {
  useEffect(() => {
    const box = list.current;
    if (box === null || globalThis.ResizeObserver === undefined) return;
    const observer = new ResizeObserver((entries) => {
      if (atEnd.current !== true) return;
      // Whoever opened something in a message looks at that.
      const focus = document.activeElement;
      const isInside = focus !== box && box.contains(focus);
      if (!isInside || entries.some(({ target }) => target === box)) box.scrollTop = box.scrollHeight;
    });
    observer.observe(box);
    for (const item of box.children) observer.observe(item);
    return () => observer.disconnect();
  }, changes);
}
