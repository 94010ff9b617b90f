// What stands below a page: the way to what is kept of people.

import { followed } from "./route";

export function Footer() {
  return (
    <footer class="narrow below">
      <a href="/privacy" onClick={followed}>
        Privacy
      </a>
    </footer>
  );
}
