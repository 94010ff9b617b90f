// Chooses among the pages of files: their list, and one file.

import "../../style/files.css";
import { Files } from "./files";
import { FilePage } from "./file";

/** The page of a path; null where there is none. */
export function filesPage(path: string) {
  const [, id] = /^\/account\/files(?:\/([\w-]+))?\/?$/.exec(path) ?? [null];
  if (id === null) return null;
  return id === undefined ? <Files /> : <FilePage id={id} key={id} />;
}
