// What reports, decisions and lines of the audit are called.

import type { ReportKind, Resolution } from "../../../protocol/social";

export const KINDS: Record<ReportKind, string> = {
  person: "A person",
  message: "A message",
  file: "A file",
  room: "A room",
};

/** As the past, for what was decided. */
export const DECIDED: Record<Resolution, string> = {
  nothing: "Nothing is wrong",
  warned: "Warned",
  content_removed: "Removed",
  suspended: "Suspended",
  underage: "Frozen, because they are too young",
};

/** What was done about a report. */
export function actionText(action: string): string {
  return ACTIONS[action] ?? action;
}

const ACTIONS: Record<string, string> = {
  report_read: "Looked at the report",
  report_photo_read: "Looked at the photo",
  report_file_read: "Opened a file",
  report_file_removed: "Removed a file",
  report_nothing: "Decided that nothing is wrong",
  report_warned: "Warned",
  report_content_removed: "Removed what was reported",
  report_suspended: "Suspended the account",
  report_underage: "Froze the account",
};

export const when = (at: number) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
