// A message's text in parts: what is said, and the names of whom it names.

import type { Id, Message, Person } from "../../../protocol/social";

export interface Part {
  text: string;
  /** Whom it names; null where it names nobody. */
  account: Id | null;
}

export function messageParts(body: string, mentions: readonly Person[]): Part[] {
  if (mentions.length === 0) return [{ text: body, account: null }];
  const byName = new Map(mentions.map(({ username, account }) => [username.toLowerCase(), account]));
  // The longest first: of ana and ana-maria, the whole name is meant.
  // Of the characters of names, a dot alone means something in a pattern.
  const names = [...byName.keys()].sort((a, b) => b.length - a.length).map((name) => name.replace(/\W/g, "\\$&"));
  const pattern = new RegExp(`@(?:${names.join("|")})(?![a-z0-9_])`, "gi");
  const parts: Part[] = [];
  let from = 0;
  for (const found of body.matchAll(pattern)) {
    const before = body[found.index - 1] ?? " ";
    // An address has something before it.
    if (/[\p{L}\p{N}]/u.test(before)) continue;
    if (from < found.index) parts.push({ text: body.slice(from, found.index), account: null });
    parts.push({ text: found[0], account: byName.get(found[0].slice(1).toLowerCase()) ?? null });
    from = found.index + found[0].length;
  }
  if (from < body.length) parts.push({ text: body.slice(from), account: null });
  return parts;
}

/** The name that is begun where somebody types: `@an` of "hi @an"; null where none is. */
export function begunName(text: string): string | null {
  return /(?:^|[^\p{L}\p{N}])@([a-z0-9._-]*)$/iu.exec(text)?.[1] ?? null;
}

/** What a message is on one line: what it says, or else what it carries. */
export function lineOf({ body, files, gif }: Pick<Message, "body" | "files" | "gif">): string {
  if ((body ?? "") !== "") return body ?? "";
  if (gif != null) return "a GIF";
  const [first] = files;
  if (first === undefined) return "";
  if (1 < files.length) return `${files.length} files`;
  return first.file?.name ?? "a file that was deleted";
}
