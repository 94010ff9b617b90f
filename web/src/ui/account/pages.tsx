// Chooses among the pages of accounts. They are a bundle of their own: who joins a room loads none of it.

import "../style/account.css";
import { AdminPage } from "./admin/pages";
import { ChatsPage } from "./chats/chats";
import { chatOfPath } from "./chats/place";
import { Erased } from "./data/erased";
import { DataPage } from "./data/page";
import { filesPage } from "./files/pages";
import { Forgot } from "./forgot";
import { moderationPage } from "./moderation/pages";
import { peoplePage } from "./people/pages";
import { SignedIn } from "./identity/signed_in";
import { Privacy } from "./privacy";
import { roomsPage } from "./rooms/pages";
import { Settings } from "./settings";
import { SignIn } from "./sign_in";
import { SignUp } from "./sign_up";

/** The page of a path; null where there is none. */
export function accountPage(path: string) {
  if (/^\/account\/files(\/|$)/.test(path)) return filesPage(path);
  if (/^\/account\/rooms(\/|$)/.test(path)) return roomsPage(path);
  if (chatOfPath(path) !== undefined) return <ChatsPage />;
  const moderation = moderationPage(path);
  if (moderation !== null) return moderation;
  switch (path.replace(/\/$/, "")) {
    case "/account":
      return <Settings />;
    case "/account/sign-up":
      return <SignUp />;
    case "/account/sign-in":
      return <SignIn />;
    case "/account/signed-in":
      return <SignedIn />;
    case "/account/forgot":
      return <Forgot />;
    case "/account/admin":
      return <AdminPage />;
    case "/account/data":
      return <DataPage />;
    case "/account/erased":
      return <Erased />;
    case "/privacy":
      return <Privacy />;
    default:
      return peoplePage(path);
  }
}
