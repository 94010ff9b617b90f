// Options in a link's query, for tests and for those who want to compare: `?engine=standard` or
// `?engine=engine` forces the way sound is played, `?name=Ana` fills in the name, `?autojoin=1`
// joins at once.

export interface Query {
  engine: "standard" | "engine" | null;
  name: string | null;
  autojoin: boolean;
}

export function parseQuery(search: string): Query {
  const parameters = new URLSearchParams(search);
  const engine = parameters.get("engine");
  return {
    engine: engine === "standard" || engine === "engine" ? engine : null,
    name: parameters.get("name"),
    autojoin: parameters.get("autojoin") === "1",
  };
}
