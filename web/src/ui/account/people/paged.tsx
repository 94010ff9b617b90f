// Lists that the server gives in pages. What surprises: somebody who goes from a list is taken out here,
// too, instead of asking for it anew, so that it keeps its length and whoever reads it their place.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Id } from "../../../protocol/social";
import { useActing } from "./acting";

export interface Page<T> {
  items: T[];
  /** After which the next page begins, if there is one. */
  next?: Id | null;
}

export interface Paged<T> {
  /** Null until the first page is here. */
  items: T[] | null;
  problem: string;
  hasMore: boolean;
  load: () => Promise<void>;
  more: () => Promise<void>;
  /** Changes what is shown without asking the server. */
  change: (how: (items: T[]) => T[]) => void;
  /** Puts the focus on the list: the button that had it is gone. */
  focus: () => void;
  box: RefObject<HTMLDivElement | null>;
}

export function usePaged<T>(ask: (query: { after?: Id }) => Promise<Page<T>>): Paged<T> {
  const [page, setPage] = useState<Page<T> | null>(null);
  const { problem, attempt } = useActing();
  const box = useRef<HTMLDivElement>(null);
  const focus = () => box.current?.focus();

  const load = async () => void (await attempt(async () => setPage(await ask({}))));
  const more = async () => {
    const after = page?.next ?? null;
    if (after === null) return;
    await attempt(async () => {
      const { items, next = null } = await ask({ after });
      setPage((before) => ({ items: [...(before?.items ?? []), ...items], next }));
      if (next === null) focus();
    });
  };
  useEffect(() => void load(), []);

  return {
    items: page?.items ?? null,
    problem,
    hasMore: (page?.next ?? null) !== null,
    load,
    more,
    change: (how) => setPage((before) => before && { ...before, items: how(before.items) }),
    focus,
    box,
  };
}

interface Props<T> {
  paged: Paged<T>;
  /** What the list is called by a screen reader. */
  label: string;
  /** What is said where there is nothing in it. */
  empty: string;
  keyOf: (item: T) => string;
  children: (item: T) => ComponentChildren;
}

export function PagedList<T>({ paged, label, empty, keyOf, children }: Props<T>) {
  const { items, problem, hasMore } = paged;
  return (
    <div class="people-list" role="group" aria-label={label} ref={paged.box} tabIndex={-1}>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      {items === null && problem === "" && <p>Loading…</p>}
      {items === null && problem !== "" && (
        <button type="button" class="button small" onClick={() => void paged.load()}>
          Try again<span class="sr-only">: {label}</span>
        </button>
      )}
      {items?.length === 0 && !hasMore && <p class="help">{empty}</p>}
      {items !== null && 0 < items.length && (
        <ul class="people">
          {items.map((item) => (
            <li key={keyOf(item)}>{children(item)}</li>
          ))}
        </ul>
      )}
      {hasMore && (
        <button type="button" class="button small" onClick={() => void paged.more()}>
          Show more<span class="sr-only">: {label}</span>
        </button>
      )}
    </div>
  );
}
