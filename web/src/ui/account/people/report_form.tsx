// What somebody tells the moderators of a person, a message or a file. A block keeps nobody from it.

import { useEffect, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { NewReport, Reason } from "../../../protocol/social";
import { Form, Submit, useForm } from "../form";
import { Lines, Word } from "./inputs";

/** What it is about, as the server takes it. */
export type About = Pick<NewReport, "kind" | "username" | "item">;

export function ReportForm({ about, onSent }: { about: About; onSent: () => void }) {
  const form = useForm(["reason", "text"]);
  const [reason, setReason] = useState<Reason | null>(null);
  const [text, setText] = useState("");
  useEffect(() => form.ref.current?.querySelector("select")?.focus(), []);

  const checks = () => ({
    reason: reason === null ? "Choose what is wrong." : "",
    text: reason === "other" && text.trim() === "" ? "Say what is wrong." : "",
  });
  const send = async () => {
    if (reason === null) return;
    await call("POST /api/v1/social/reports", { body: { ...about, reason, text } });
    onSent();
  };
  return (
    <Form form={form} onSubmit={() => void form.submit(checks(), send)}>
      <Word form={form} name="reason" label="What is wrong" words={REASONS} value={reason} onChange={setReason} />
      <Lines
        form={form}
        name="text"
        label="What happened"
        rows={4}
        value={text}
        onChange={setText}
        help="What you would like the moderators to know."
      />
      <Submit form={form}>Send the report</Submit>
    </Form>
  );
}

export const REPORT_SENT = "Your report waits for the moderators. A notice tells you when they decided.";

export const REASONS: Record<Reason, string> = {
  spam: "Advertising, or the same again and again",
  harassment: "Somebody is pestered or threatened",
  hate: "Contempt for a group of people",
  sexual: "Sex, where nobody asked for it",
  violence: "Violence",
  impersonation: "They pretend to be somebody else",
  copyright: "It is somebody else's work",
  underage: "They are too young to have an account",
  other: "Something else",
};
