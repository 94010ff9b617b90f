// What others see of what somebody does, and what they are told. Each switch acts at once; what surprises: the server takes
// all of them together, so that a change waits for the one before it.

import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { PreferencesBody } from "../../../protocol/social";
import { sentence } from "../../format";
import { Section } from "../section";
import { useActing } from "./acting";
import { Waiting } from "./gate";

export function Preferences() {
  const [loaded, setLoaded] = useState<PreferencesBody | null>(null);
  const { problem, attempt } = useActing();
  const load = () => attempt(async () => setLoaded(await call("GET /api/v1/social/account/preferences")));
  useEffect(() => void load(), []);

  if (loaded !== null) return <Switches loaded={loaded} />;
  return (
    <Section title={TITLE}>
      <Waiting problem={problem} onAgain={() => void load()} />
    </Section>
  );
}

function Switches({ loaded }: { loaded: PreferencesBody }) {
  const [shown, setShown] = useState(loaded);
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState("");
  const wanted = useRef(loaded);
  /** What the server has. */
  const held = useRef(loaded);
  const saving = useRef(false);

  const want = (body: PreferencesBody) => {
    wanted.current = body;
    setShown(body);
  };
  const save = async () => {
    if (saving.current) return;
    saving.current = true;
    setProblem("");
    setDone("");
    try {
      while (wanted.current !== held.current) {
        const body = wanted.current;
        await call("PUT /api/v1/social/account/preferences", { body });
        held.current = body;
      }
      setDone("That holds from now on.");
    } catch (error) {
      want(held.current);
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    } finally {
      saving.current = false;
    }
  };

  return (
    <Section title={TITLE} done={done}>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      {SWITCHES.map(({ name, label, help }) => (
        <div key={name}>
          <div class="choice">
            <input
              id={`preference-${name}`}
              type="checkbox"
              role="switch"
              checked={shown[name] ?? true}
              aria-describedby={`preference-${name}-help`}
              onChange={(event) => {
                want({ ...wanted.current, [name]: event.currentTarget.checked });
                void save();
              }}
            />
            <label for={`preference-${name}`}>{label}</label>
          </div>
          <p id={`preference-${name}-help`} class="help">
            {help}
          </p>
        </div>
      ))}
    </Section>
  );
}

const TITLE = "What others see, and what you are told";

const SWITCHES: readonly { name: keyof PreferencesBody; label: string; help: string }[] = [
  { name: "presence", label: "That you are online", help: "And, to friends, that you jam." },
  {
    name: "room",
    label: "In which room you jam",
    help: "Friends see its name and can come by. A private room is never named. It holds for the next room you join.",
  },
  { name: "read_receipts", label: "What you have read", help: "In chats." },
  { name: "typing", label: "That you are typing", help: "In chats." },
  { name: "mentions", label: "Tell me who names or answers me", help: "As a notice on this page, unless you muted the chat." },
];
