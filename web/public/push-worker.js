// Shows what the server pushes while no page is open, and opens the page that tells more. What surprises: it does nothing
// else. It answers no request of any page and keeps nothing, so a page never runs by way of it. A push has a kind
// and a path; all words are here.

const WORDS = {
  en: {
    message: "Somebody wrote to you.",
    mentioned: "A message names you.",
    answered: "A message answers yours.",
    friend_asked: "Somebody asks to be friends.",
    friend_accepted: "Somebody accepted: you are friends.",
    report_resolved: "The moderators decided on a report of yours.",
    warned: "The moderators warn you.",
    content_removed: "The moderators removed something of yours.",
    file_removed: "The moderators removed a file of yours.",
    policy_changed: "The page about privacy will say something else.",
    security: "Something happened to your account. Look whether it was you.",
    other: "Something happened.",
  },
  de: {
    message: "Jemand hat dir geschrieben.",
    mentioned: "Eine Nachricht nennt dich.",
    answered: "Eine Nachricht antwortet auf deine.",
    friend_asked: "Jemand möchte mit dir befreundet sein.",
    friend_accepted: "Jemand hat angenommen: Ihr seid befreundet.",
    report_resolved: "Die Moderation hat über eine Meldung von dir entschieden.",
    warned: "Die Moderation warnt dich.",
    content_removed: "Die Moderation hat etwas von dir entfernt.",
    file_removed: "Die Moderation hat eine Datei von dir entfernt.",
    policy_changed: "Die Seite zum Datenschutz wird etwas anderes sagen.",
    security: "Mit deinem Konto ist etwas geschehen. Sieh nach, ob du es warst.",
    other: "Es ist etwas geschehen.",
  },
  tr: {
    message: "Biri sana yazdı.",
    mentioned: "Bir mesajda adın geçiyor.",
    answered: "Bir mesaj seninkine yanıt veriyor.",
    friend_asked: "Biri seninle arkadaş olmak istiyor.",
    friend_accepted: "Biri kabul etti: artık arkadaşsınız.",
    report_resolved: "Moderatörler bir bildirimin hakkında karar verdi.",
    warned: "Moderatörler seni uyarıyor.",
    content_removed: "Moderatörler sana ait bir şeyi kaldırdı.",
    file_removed: "Moderatörler sana ait bir dosyayı kaldırdı.",
    policy_changed: "Gizlilik sayfası artık başka bir şey söyleyecek.",
    security: "Hesabında bir şey oldu. Bunu senin yapıp yapmadığına bak.",
    other: "Bir şey oldu.",
  },
};

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.go));
});

/** What was pushed; a browser asks for a notification whatever it was. */
function read(data) {
  try {
    return data.json() ?? {};
  } catch {
    return {};
  }
}

async function show({ kind, go, lang }) {
  const language = Object.hasOwn(WORDS, lang) ? lang : "en";
  const words = WORDS[language];
  const body = Object.hasOwn(words, kind) ? words[kind] : words.other;
  // A later one of the same place stands for the earlier.
  const tag = `${pathOf(go)} ${String(go).startsWith("/account/chats/") ? "" : kind}`.trim();
  await self.registration.showNotification("vjam", { body, lang: language, tag, icon: "/favicon.svg", data: { go } });
}

/** The path of a page of ours, whatever was pushed. */
function pathOf(go) {
  try {
    const url = new URL(go ?? "/", self.location.origin);
    return url.origin === self.location.origin ? url.pathname + url.search : "/";
  } catch {
    return "/";
  }
}

async function open(go) {
  const path = pathOf(go);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  // A window that is at another page is left there: somebody may be playing in it.
  const there = windows.find(({ url }) => new URL(url).pathname === path);
  await (there === undefined ? self.clients.openWindow(path) : there.focus());
}
