// The page of one file: a recording to listen to, or a picture to look at.

import { useEffect, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { StoredFile } from "../../../protocol/social";
import { followed, navigate } from "../../route";
import { Report } from "../people/report";
import { Shell } from "../shell";
import { FileActions } from "./actions";
import { useAttempts } from "./attempt";
import { Picture } from "./picture";
import { Recording } from "./recording";
import { dayText, describeFile, isRecording } from "./words";

export function FilePage({ id }: { id: string }) {
  const [file, setFile] = useState<StoredFile | null>(null);
  const [me, setMe] = useState("");
  const { problem, attempt } = useAttempts();

  const load = () =>
    attempt(async () => {
      const account = await call("GET /api/v1/social/account");
      const loaded = await call("GET /api/v1/social/files/{file}", { path: { file: id } });
      setMe(account.id);
      setFile(loaded);
    });
  useEffect(() => void load(), []);

  if (file === null) {
    return (
      <Shell title="File">
        {problem === "" ? (
          <p role="status">Loading…</p>
        ) : (
          <div class="problem" role="alert">
            <p>{problem}</p>
            <button type="button" class="button" onClick={() => void load()}>
              Try again
            </button>
          </div>
        )}
        <BackToFiles />
      </Shell>
    );
  }
  return (
    <Shell title={file.name} lead={`${describeFile(file)}, ${dayText(file.created_at)}`}>
      {isRecording(file) ? <Recording file={file} me={me} onFile={setFile} /> : <Picture file={file} />}
      <FileActions file={file} own={file.account === me} onDeleted={() => navigate("/account/files")} />
      {file.account !== me && (
        <Report
          about={{ kind: "file", item: file.id }}
          name="this file"
          help="Moderators see the file, and what you write. Whose it is, is not told who reported."
        />
      )}
      <BackToFiles />
    </Shell>
  );
}

function BackToFiles() {
  return (
    <p>
      <a href="/account/files" onClick={followed}>
        All your files
      </a>
    </p>
  );
}
