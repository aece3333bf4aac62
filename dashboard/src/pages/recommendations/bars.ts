/** How long the bars of a list's scores are. */

import type { ListedItem } from "./listOrder";

/** The shortest bar, so that the last item of a list still has one. */
export const SHORTEST = 0.06;

/**
 * Of each item, from SHORTEST for the lowest score to 1 for the highest.
 *
 * Scores have no zero that means anything, and only those of the same model_source can be compared: so each is placed
 * between the lowest and the highest of its kind in the list.
 */
export function scoreBars(items: ListedItem[]): Map<string, number> {
  const bounds = new Map<string, [low: number, high: number]>();
  for (const { model_source: kind, score } of items) {
    const [low, high] = bounds.get(kind) ?? [score, score];
    bounds.set(kind, [Math.min(low, score), Math.max(high, score)]);
  }
  return new Map(
    items.map(({ item_id, model_source, score }) => {
      const [low, high] = bounds.get(model_source) ?? [score, score];
      const share = high > low ? (score - low) / (high - low) : 1;
      return [item_id, SHORTEST + (1 - SHORTEST) * share];
    }),
  );
}
