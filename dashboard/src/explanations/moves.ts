/** What the shop's rules did to the order of a list. */

import type { Schema } from "@/api/client";

type Item = Schema<"RecommendedItem">;

export interface Move {
  /** Places up the list, below 0 down. */
  places: number;
  before: number;
  now: number;
  rules: string[];
}

/** How rules moved an item; null where none had a part in its place. */
export function moveOf({
  rank,
  rank_before: before,
  rules = [],
}: Pick<Item, "rank" | "rank_before" | "rules">): Move | null {
  if (before === undefined) return null;
  if (before === rank && rules.length === 0) return null;
  return { places: before - rank, before, now: rank, rules };
}

/** The items that rules moved, and all rules that did so. Items that gave way to others have no rule of their own. */
export function movesOf<T extends Pick<Item, "rank" | "rank_before" | "rules">>(
  items: readonly T[],
): { rules: string[]; moved: { item: T; move: Move }[] } {
  const moved = items.flatMap((item) => {
    const move = moveOf(item);
    return move && move.rules.length > 0 ? [{ item, move }] : [];
  });
  return { rules: [...new Set(moved.flatMap(({ move }) => move.rules))].sort(), moved };
}
