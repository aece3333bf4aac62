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

/** Lists leave out what the shop says is not to be had. */
export function isSoldOut(live: Live | undefined): boolean {
  return live !== undefined && (live.available === false || (live.stock !== null && live.stock <= 0));
}
