/** What the page of popular items has in its address, and what it asks the server for. */

import { lastPage, LENGTHS, offsetOf } from "@/lib/listPages";
import { countOf, priceOf } from "@/lib/typed";

export const NO_FILTERS = { category: "", brand: "", min: "", max: "", scenario: "" };
export const DEFAULTS = { ...NO_FILTERS, k: "24", page: "1" };
export type State = typeof DEFAULTS;

export interface Asked {
  k: number;
  offset: number;
  category?: string;
  brand?: string;
  min_price?: number;
  max_price?: number;
  scenario?: string;
}

/** The request of a state. What an address cannot mean is left out. */
export function askedOf(state: State): Asked {
  const k = LENGTHS.find((length) => String(length) === state.k) ?? 24;
  const min = priceOf(state.min);
  const max = priceOf(state.max);
  const scenario = state.scenario.trim();
  return {
    k,
    offset: offsetOf(countOf(state.page), k),
    ...(state.category && { category: state.category }),
    ...(state.brand && { brand: state.brand }),
    ...(min !== null && { min_price: min }),
    ...(max !== null && { max_price: max }),
    ...(scenario && { scenario }),
  };
}

/** The pages before and after one of so many items; null: there is none. */
export function pagesAround(
  { k, offset }: Asked,
  items: number,
): { before: number | null; after: number | null } {
  const page = offset / k + 1;
  return {
    before: page > 1 ? page - 1 : null,
    after: items === k && page < lastPage(k) ? page + 1 : null,
  };
}
