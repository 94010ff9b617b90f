// A button that puts a link into the clipboard, and says whether it is there.

import { useSignal } from "@preact/signals";

interface Props {
  /** A path of this server, or a whole address. */
  link: string;
  small?: boolean;
}

export function CopyLink({ link, small = false }: Props) {
  const copied = useSignal<"no" | "yes" | "failed">("no");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(new URL(link, location.origin).href);
      copied.value = "yes";
    } catch {
      copied.value = "failed";
    }
    setTimeout(() => {
      copied.value = "no";
    }, COPIED_MS);
  };
  return (
    <button type="button" class={small ? "button small" : "button"} onClick={() => void copy()}>
      <span aria-live="polite">
        {{ no: "Copy link", yes: "Link copied", failed: "Copy the address above" }[copied.value]}
      </span>
    </button>
  );
}

const COPIED_MS = 2_500;
