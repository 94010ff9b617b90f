// A new chat: with one person, or a group with a title.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { Chat, NewChat as NewChatBody } from "../../../protocol/social";
import { Field, Form, Submit, useForm } from "../form";

interface Props {
  onMade: (chat: Chat) => void;
  onCancel: () => void;
}

export function NewChat({ onMade, onCancel }: Props) {
  const [kind, setKind] = useState<"direct" | "group">("direct");
  const form = useForm(["with", "members", "title"], { not_found: kind === "direct" ? "with" : "members" });
  const [names, setNames] = useState("");
  const [title, setTitle] = useState("");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const people = usernames(names);
  const checks = () => ({
    with: kind === "direct" && people.length !== 1 ? "Enter the username of one person." : "",
    members: kind === "group" && people.length === 0 ? "Enter at least one username." : "",
    title: kind === "group" && title.trim() === "" ? "Give the group a title." : "",
  });
  const make = async () => {
    const body: NewChatBody =
      kind === "direct" ? { kind, with: people[0] ?? "" } : { kind, members: people, title: title.trim() };
    onMade(await call("POST /api/v1/social/chats", { body }));
  };
  const choice = (value: "direct" | "group", label: string) => (
    <label class="choice">
      <input
        ref={value === "direct" ? first : null}
        type="radio"
        name="kind"
        value={value}
        checked={kind === value}
        onChange={() => setKind(value)}
      />
      {label}
    </label>
  );
  return (
    <div class="card chats-new">
      <Form form={form} onSubmit={() => void form.submit(checks(), make)}>
        <fieldset class="field choices">
          <legend class="label">New chat with</legend>
          {choice("direct", "One person")}
          {choice("group", "A group")}
        </fieldset>
        {kind === "direct" ? (
          <Field form={form} name="with" label="Their username" autoComplete="off" value={names} onChange={setNames} />
        ) : (
          <>
            <Field form={form} name="title" label="Title" autoComplete="off" value={title} onChange={setTitle} />
            <Field
              form={form}
              name="members"
              label="Their usernames"
              autoComplete="off"
              value={names}
              onChange={setNames}
              help="With spaces or commas between them."
            />
          </>
        )}
        <div class="inline">
          <Submit form={form}>Begin the chat</Submit>
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
        </div>
      </Form>
    </div>
  );
}

/** Names as somebody types several of them; each once. */
export function usernames(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).map((name) => name.replace(/^@/, "")).filter((name) => name !== ""))];
}
