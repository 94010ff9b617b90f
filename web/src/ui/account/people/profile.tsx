// What somebody says of themselves, and to whom.

import { useEffect, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { Audience, ProfileBody, SeenBy } from "../../../protocol/social";
import { Field, Form, Submit, useForm } from "../form";
import { Section } from "../section";
import { useActing } from "./acting";
import { Waiting } from "./gate";
import { Lines, Word } from "./inputs";
import { PhotoSettings } from "./photo_settings";

export function Profile({ username }: { username: string }) {
  const [profile, setProfile] = useState<ProfileBody | null>(null);
  const { problem, attempt } = useActing();
  const load = () => attempt(async () => setProfile(await call("GET /api/v1/social/account/profile")));
  useEffect(() => void load(), []);

  if (profile === null) {
    return (
      <Section title="Your profile">
        <Waiting problem={problem} onAgain={() => void load()} />
      </Section>
    );
  }
  return (
    <>
      <PhotoSettings username={username} photo={profile.photo ?? null} />
      <ProfileForm profile={profile} />
    </>
  );
}

function ProfileForm({ profile }: { profile: ProfileBody }) {
  const form = useForm(["status", "bio", "instruments"]);
  const [status, setStatus] = useState(profile.status);
  const [bio, setBio] = useState(profile.bio);
  // One on each line: the name of an instrument may hold a comma.
  const [instruments, setInstruments] = useState(profile.instruments.join("\n"));
  const [seenBy, setSeenBy] = useState<SeenBy>(profile.seen_by);
  const [done, setDone] = useState("");

  const save = async () => {
    const words = instruments.split("\n").map((each) => each.trim());
    const body = { status, bio, instruments: words.filter((each) => each !== ""), seen_by: seenBy };
    await call("PUT /api/v1/social/account/profile", { body });
    setDone("Your profile is changed.");
  };
  return (
    <Section title="Your profile" done={done}>
      <Form
        form={form}
        onSubmit={() => {
          setDone("");
          void form.submit({}, save);
        }}
      >
        <Field
          form={form}
          name="status"
          label="Status"
          autoComplete="off"
          value={status}
          onChange={setStatus}
          help="What you are up to, on one line."
        />
        <Lines form={form} name="bio" label="About you" rows={4} value={bio} onChange={setBio} />
        <Lines
          form={form}
          name="instruments"
          label="Instruments"
          rows={3}
          value={instruments}
          onChange={setInstruments}
          help="What you play: each on a line of its own."
        />
        <fieldset class="field">
          <legend class="label">Who sees what</legend>
          <div class="audiences">
            {PARTS.map(([part, label]) => (
              <Word
                key={part}
                form={form}
                name={part}
                label={label}
                words={AUDIENCES}
                value={seenBy[part]}
                onChange={(audience) => setSeenBy({ ...seenBy, [part]: audience })}
              />
            ))}
          </div>
        </fieldset>
        <Submit form={form}>Save the profile</Submit>
      </Form>
    </Section>
  );
}

const PARTS: readonly (readonly [keyof SeenBy, string])[] = [
  ["photo", "Who sees your photo"],
  ["status", "Who sees your status"],
  ["bio", "Who sees what is about you"],
  ["instruments", "Who sees your instruments"],
];

const AUDIENCES: Record<Audience, string> = {
  everybody: "Everybody who is signed in",
  friends: "Your friends",
  nobody: "Nobody but you",
};
