// Archives of what is kept of somebody: asked for with the password, made by the server, fetched once.

import { useEffect, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import { ownPassword, ownPasswordProblem } from "../../../account/ways";
import type { ExportBody, ExportLink } from "../../../protocol/social";
import { sentence } from "../../format";
import { Form, Submit, useForm } from "../form";
import { Proof } from "../identity/proof";
import { Section } from "../section";

export function Exports() {
  const form = useForm(["current_password"], { wrong_password: "current_password" });
  const [password, setPassword] = useState("");
  const [exports, setExports] = useState<ExportBody[]>([]);
  const [link, setLink] = useState<ExportLink | null>(null);
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState("");

  const load = async () => {
    try {
      setExports(await call("GET /api/v1/social/account/exports"));
      setProblem("");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    }
  };
  useEffect(() => void load(), []);
  const isWaiting = exports.some((each) => each.state === "waiting");
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => void load(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isWaiting]);

  const checks = () => ({ current_password: ownPasswordProblem(password) });
  const body = { current_password: ownPassword(password) };
  const ask = async () => {
    await call("POST /api/v1/social/account/exports", { body });
    setPassword("");
    setDone("The archive is being made. You get a mail when it is ready, and it appears here.");
    await load();
  };
  const fetchLink = async (id: string) => {
    setLink(await call("POST /api/v1/social/account/exports/{export}/link", { path: { export: id }, body }));
    setPassword("");
    setDone("The link is ready. It works once, and for a quarter of an hour.");
  };

  const ready = exports.filter((each) => each.state === "ready");
  return (
    <Section title="Have everything" done={done}>
      <p>
        An archive of all that this server keeps of you, as files that programs can read, with a description of what
        is in them. Your recordings and pictures are in it too, so it may be large. The two latest archives are kept.
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <Form
        form={form}
        onSubmit={() => {
          setDone("");
          void form.submit(checks(), ask);
        }}
      >
        <Proof
          form={form}
          name="current_password"
          label="Your password, for the archive"
          value={password}
          onChange={setPassword}
          help="It is asked for each time: an archive tells everything about you."
        />
        <Submit form={form}>Have an archive made</Submit>
        {0 < exports.length && (
          <ul class="sessions" aria-label="Archives">
            {exports.map((each) => (
              <li key={each.id}>
                <span>
                  <strong>{dateOf(each.created_at)}</strong>
                  <span class="tag">
                    {each.state === "ready" ? `Ready, until ${dateOf(each.expires_at)}` : "Being made"}
                  </span>
                </span>
                {each.state === "ready" && (
                  <button
                    type="button"
                    class="button small"
                    disabled={form.busy}
                    aria-label={`Get the link to the archive of ${dateOf(each.created_at)}`}
                    onClick={() => {
                      setDone("");
                      setLink(null);
                      void form.submit(checks(), () => fetchLink(each.id));
                    }}
                  >
                    Get the link
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Form>
      {link !== null && 0 < ready.length && (
        <p>
          <a class="button primary" href={link.url} download onClick={() => setLink(null)}>
            Download the archive
          </a>
        </p>
      )}
    </Section>
  );
}

const dateOf = (at: number) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

/** How often it is looked whether an archive is ready. */
const LOOK_AGAIN_MS = 3000;
