// The pages of moderators.

import "../../style/carried.css";
import "../../style/files.css";
import "../../style/staff.css";
import { ForRole } from "../for_role";
import { Queue } from "./queue";
import { ReportPage } from "./report";

/** The page of a path; null where it is none of them. */
export function moderationPage(path: string) {
  const found = /^\/account\/moderation(?:\/([^/]+))?\/?$/.exec(path);
  if (found === null) return null;
  const id = found[1];
  return (
    <ForRole title="Moderation" least="moderator">
      {() => (id === undefined ? <Queue /> : <ReportPage id={id} key={id} />)}
    </ForRole>
  );
}
