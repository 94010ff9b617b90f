// The providers of the server, one button each; nothing where there are none. They are words only: a logo
// from elsewhere would tell its owner who looks.

import { useEffect, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { ProviderBody } from "../../../protocol/social";
import { sentence } from "../../format";

interface Props {
  /** What stands before the name. */
  verb: string;
  onChoose: (provider: ProviderBody) => Promise<void>;
  /** What stands above them, where there are any. */
  lead?: string;
}

export function ProviderButtons({ verb, onChoose, lead }: Props) {
  const [providers, setProviders] = useState<ProviderBody[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    const load = async () => {
      try {
        setProviders(await call("GET /api/v1/social/identity/providers"));
      } catch (error) {
        // Without them there is still the form.
        if (!(error instanceof ProblemError)) throw error;
      }
    };
    void load();
  }, []);

  const choose = async (provider: ProviderBody) => {
    setProblem("");
    setBusy(true);
    try {
      await onChoose(provider);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    } finally {
      setBusy(false);
    }
  };
  if (providers.length === 0) return null;
  return (
    <div class="providers">
      {lead !== undefined && <p>{lead}</p>}
      {providers.map((provider) => (
        <button key={provider.id} type="button" class="button" disabled={busy} onClick={() => void choose(provider)}>
          {verb} {provider.name}
        </button>
      ))}
      <p class="field-problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
