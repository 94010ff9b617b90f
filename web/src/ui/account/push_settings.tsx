// Which browsers are told what happens while no page is open, and the switch for this one. Nothing is asked of the browser
// before the switch is pressed.

import { useEffect, useState } from "preact/hooks";

import { type Ability, ability, hasAddress, leave, switchOff, switchOn } from "../../account/push";
import type { PushBody, PushBrowser } from "../../protocol/social";
import { call } from "../../account/client";
import { followed } from "../route";
import { useActing } from "./people/acting";
import { Section } from "./section";

export function PushSettings() {
  const [push, setPush] = useState<PushBody | null>(null);
  const [able, setAble] = useState<Ability>(ability);
  const [done, setDone] = useState("");
  const [failed, setFailed] = useState("");
  const { problem, attempt } = useActing();

  const load = async () => {
    const loaded = await call("GET /api/v1/social/account/push");
    const mine = loaded.browsers.find(({ current }) => current);
    // Whoever took it back in the browser's own settings did not tell the server.
    if (mine !== undefined && !(await hasAddress())) {
      await switchOff(mine.id, false);
      loaded.browsers.splice(loaded.browsers.indexOf(mine), 1);
    }
    setPush(loaded);
  };
  useEffect(() => void attempt(load), []);
  if (push === null || push.key == null) return null;

  const { key, browsers } = push;
  const mine = browsers.find(({ current }) => current);
  const change = (action: () => Promise<string>) =>
    attempt(async () => {
      setDone("");
      setFailed("");
      const said = await action();
      await load();
      setAble(ability());
      setDone(said);
    });
  const on = () =>
    change(async () => {
      try {
        return (await switchOn(key)) ? "This browser is told from now on." : "Nothing changed: this browser was not allowed to.";
      } catch (error) {
        // What a browser says of its push service is not for people; what the server says is.
        if (!(error instanceof DOMException)) throw error;
        await leave();
        setFailed("The push service of this browser does not answer. Some browsers have it switched off, in their settings.");
        return "";
      }
    });
  const off = (browser: PushBrowser) =>
    change(async () => {
      await switchOff(browser.id, browser.current);
      return `${browser.current ? "This browser" : nameOf(browser)} is told no more.`;
    });

  return (
    <Section title="While no page is open" done={done}>
      <p>
        A browser can tell you that somebody wrote to you alone, named or answered you, or asks to be friends, that the page
        about privacy changes, and that something happened to your account. It says no more than that: no names and no text.
        It comes through the push service of the browser's maker, who can read none of it.{" "}
        <a href="/account/people" onClick={followed}>
          What you are told
        </a>{" "}
        holds here too; what concerns your account always comes.
      </p>
      <p class="field-problem" role="alert">
        {problem || failed}
      </p>
      {mine !== undefined ? (
        <button type="button" class="button" onClick={() => void off(mine)}>
          Tell this browser no more
        </button>
      ) : able === "able" ? (
        <button type="button" class="button" onClick={() => void on()}>
          Tell this browser
        </button>
      ) : (
        <p>{WHY_NOT[able]}</p>
      )}
      <ul class="sessions" aria-label="Other browsers that are told">
        {browsers
          .filter(({ current }) => !current)
          .map((browser) => (
            <li key={browser.id}>
              <span>
                <strong>{nameOf(browser)}</strong>
                <span class="tag">
                  By {browser.host}, since {new Date(browser.created_at).toLocaleDateString(undefined, { dateStyle: "medium" })}
                </span>
              </span>
              <button
                type="button"
                class="button small"
                aria-label={`Tell ${nameOf(browser)} no more`}
                onClick={() => void off(browser)}
              >
                No more
              </button>
            </li>
          ))}
      </ul>
    </Section>
  );
}

const nameOf = ({ device_name }: PushBrowser) => (device_name === "" ? "A device without a name" : device_name);

const WHY_NOT: Record<Exclude<Ability, "able">, string> = {
  insecure: "This page did not come encrypted (https), and browsers tell nothing of such pages.",
  home_screen: "On this device, first put vjam on the home screen (Share, then Add to Home Screen), and open it from there.",
  denied: "This browser was told not to show notices of vjam. Allow them in its settings for this page, then load it anew.",
  unsupported: "This browser cannot be told anything while no page is open.",
};
