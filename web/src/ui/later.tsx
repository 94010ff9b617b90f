// What is loaded after the first page: others when somebody goes there, and the list below it.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

type AccountPages = typeof import("./account/pages");

/** The rooms that everybody may see, below what is there at once; nothing where they cannot be had. */
export function PublicRooms() {
  const [loaded, setLoaded] = useState<typeof import("./public_rooms") | null>(null);
  useEffect(() => {
    import("./public_rooms").then(setLoaded, () => undefined);
  }, []);
  return loaded === null ? null : <loaded.PublicRooms />;
}

interface Props {
  path: string;
  /** What is shown where there is no such page. */
  nowhere: ComponentChildren;
}

export function AccountPage({ path, nowhere }: Props) {
  const [pages, setPages] = useState<AccountPages | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import("./account/pages").then(setPages, () => setFailed(true));
  }, []);

  if (failed) {
    return (
      <main class="narrow">
        <h1>This page could not be loaded</h1>
        <p>The connection was lost, or the server has a newer version by now.</p>
        <p>
          <button type="button" class="button primary" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      </main>
    );
  }
  if (pages === null) return <main class="narrow" aria-busy="true" />;
  return <>{pages.accountPage(path) ?? nowhere}</>;
}
