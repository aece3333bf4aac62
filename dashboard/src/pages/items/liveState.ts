/** What the shop has said of an item since the bundle was made, in a word. */

import type { Schema } from "@/api/client";

export type Live = Schema<"LiveState">;

export type Standing =
  /** Nothing was said: it is as the bundle has it. */
  | "asBundle"
  | "changed"
  | "new"
  /** New, and in no list yet: its text is being read, or cannot be. */
  | "waiting"
  | "deleted";

export function standingOf(live: Live | undefined): Standing {
  switch (live?.state) {
    case undefined:
      return "asBundle";
    case "trained":
      return "changed";
    case "new":
    case "deleted":
      return live.state;
    default:
      return "waiting";
  }
}

/** Lists leave out what is not available, and what has no stock left: as was said last, else in the bundle. */
export function isSoldOut({
  live,
  attributes,
}: Pick<Schema<"ItemResponse">, "live" | "attributes">): boolean {
  if (live?.available === false) return true;
  const stock = live?.stock ?? attributes["stock"];
  return typeof stock === "number" && stock <= 0;
}
