/** What the page of items has in its address, and what it asks the server for. */

import type { Sort } from "@/components/DataTable";
import { FIRST_PAGE, type CursorState } from "@/lib/cursorPages";
import { priceOf } from "@/lib/typed";
import type { operations } from "@/api/schema";

export const ROWS = 20;

export const DEFAULTS = {
  query: "",
  category: "",
  brand: "",
  min: "",
  max: "",
  sort: "popularity",
  ...FIRST_PAGE,
};
export type SearchState = typeof DEFAULTS;

export const NO_FILTERS = { query: "", category: "", brand: "", min: "", max: "" };

export type Asked = NonNullable<operations["search_items_get"]["parameters"]["query"]>;
type ItemSort = NonNullable<Asked["sort"]>;

const SORTS: ItemSort[] = ["popularity", "price", "-price", "title", "-title"];

/** The request of a state. Prices that are none, as in an address that was typed, are left out. */
export function searchOf(state: SearchState & CursorState): Asked {
  const query = state.query.trim();
  const min = priceOf(state.min);
  const max = priceOf(state.max);
  const sort = SORTS.find((name) => name === state.sort);
  return {
    limit: ROWS,
    ...(query && { query }),
    ...(state.category && { category: state.category }),
    ...(state.brand && { brand: state.brand }),
    ...(min !== null && { min_price: min }),
    ...(max !== null && { max_price: max }),
    ...(sort && sort !== "popularity" && { sort }),
    ...(state.cursor && { cursor: state.cursor }),
  };
}

/** Names the list that a state is a page of. */
export function listName({ query, category, brand, min, max, sort }: SearchState): string {
  return JSON.stringify(["items", query.trim(), category, brand, min, max, sort]);
}

export function filtersSet(state: SearchState): boolean {
  return Object.entries(NO_FILTERS).some(([name, none]) => state[name as keyof typeof NO_FILTERS] !== none);
}

/** How the table shows a sort of the server: popularity has but one way. */
export function tableSort(sort: string): Sort {
  const known = SORTS.find((name) => name === sort) ?? "popularity";
  if (known === "popularity") return { by: "popularity", descending: true };
  return { by: known.replace("-", ""), descending: known.startsWith("-") };
}

export function serverSort({ by, descending }: Sort): ItemSort {
  const wanted = `${descending ? "-" : ""}${by}`;
  return SORTS.find((name) => name === wanted) ?? "popularity";
}
