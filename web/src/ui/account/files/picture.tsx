// A picture: small at first, and whole for whoever wants it.

import { useState } from "preact/hooks";

import type { StoredFile } from "../../../protocol/social";
import { Section } from "../section";
import { contentOf, thumbnailOf } from "./actions";
import { bytesText } from "./words";

export function Picture({ file }: { file: StoredFile }) {
  const [whole, setWhole] = useState(false);
  const [failed, setFailed] = useState(false);
  const { width_px, height_px } = file;
  // The room is kept before it is there, so that nothing jumps.
  const size = width_px == null || height_px == null ? {} : { width: width_px, height: height_px, style: { maxWidth: `min(100%, ${width_px}px)` } };
  return (
    <Section title="Picture" done={failed ? "The picture could not be loaded." : ""}>
      <img
        class={whole ? "picture whole" : "picture"}
        src={whole ? contentOf(file.id) : thumbnailOf(file.id)}
        alt={whole ? file.name : `${file.name}, small`}
        key={whole ? "whole" : "small"}
        {...size}
        onLoad={() => setFailed(false)}
        onError={() => setFailed(true)}
      />
      <button type="button" class="button" onClick={() => setWhole(!whole)}>
        {whole ? "Show it small" : `Show all of it (${bytesText(file.size)})`}
      </button>
    </Section>
  );
}
