/** What a rule does to a list: the list of today beside the one with it. */

import type { Schema } from "@/api/client";

export type PreviewItem = Schema<"PreviewItem">;

export interface Compared {
  item: PreviewItem;
  /** out, new: in one list alone; moved: at another rank. */
  fate: "same" | "moved" | "out" | "new";
  /** Ranks up, or down where it is negative. */
  by: number;
}

/** Both lists, each row with what becomes of it, or became. */
export function sideBySide(
  before: PreviewItem[],
  after: PreviewItem[],
): { before: Compared[]; after: Compared[] } {
  const rankBefore = ranks(before);
  const rankAfter = ranks(after);
  const row = (item: PreviewItem, alone: "out" | "new"): Compared => {
    const was = rankBefore.get(item.item_id);
    const is = rankAfter.get(item.item_id);
    if (was === undefined || is === undefined) return { item, fate: alone, by: 0 };
    return { item, fate: was === is ? "same" : "moved", by: was - is };
  };
  return {
    before: before.map((item) => row(item, "out")),
    after: after.map((item) => row(item, "new")),
  };
}

/** Whether anything differs. */
export function differs(before: PreviewItem[], after: PreviewItem[]): boolean {
  return (
    before.length !== after.length || before.some((item, index) => item.item_id !== after[index]?.item_id)
  );
}

function ranks(list: PreviewItem[]): Map<string, number> {
  return new Map(list.map((item) => [item.item_id, item.rank]));
}
