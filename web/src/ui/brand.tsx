// The name and its mark.

import { followed } from "./route";

export function Brand() {
  return (
    <a class="brand" href="/" onClick={followed} aria-label="vjam, to the first page">
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
        <path d="M5 13v6M10.5 9v14M16 4v24M21.5 10v12M27 13v6" />
      </svg>
      <span aria-hidden="true">vjam</span>
    </a>
  );
}
