// What somebody can do about what is kept of them: have it, object to being counted, and have it erased.

import { useEffect } from "preact/hooks";

import { who } from "../../../account/who";
import { followed, navigate } from "../../route";
import { Shell } from "../shell";
import { Erasure } from "./erasure";
import { Exports } from "./exports";
import { UsageSwitch } from "./usage";

export function DataPage() {
  const name = who.value;
  useEffect(() => {
    if (name === null) navigate("/account/sign-in?next=/account/data");
  }, [name]);
  if (name === null) return null;
  return (
    <Shell
      title="Your data"
      lead={
        <>
          What this server keeps, what for and how long, is on the{" "}
          <a href="/privacy" onClick={followed}>
            page about privacy
          </a>
          . What you see of yourself, you can change in{" "}
          <a href="/account" onClick={followed}>
            your account
          </a>
          .
        </>
      }
    >
      <Exports />
      <UsageSwitch />
      <Erasure />
    </Shell>
  );
}
