/** What a list is asked for with, and where a page has it in its address. */

import type { Schema } from "@/api/client";

import { unpackNames } from "./names";

type OfOneItem = "item_id" | "depth" | "style" | "reference" | "language" | "sensitive";

/** All that makes a list, whose items can be explained with the same: whose it is, and what is wanted of it. */
export type ListRequest = Omit<Schema<"ExplanationBody">, OfOneItem>;

/** A list in the address of a page, and how it is where the address says nothing. */
export const LIST_DEFAULTS = {
  /** Whose list it is; or none, and the items of a new visitor's session. */
  user: "",
  session: "",
  model: "full",
  k: "24",
  page: "1",
  seen: "true",
  brand: "",
  category: "",
  min: "",
  max: "",
  as_of: "",
  scenario: "",
};
export type ListState = typeof LIST_DEFAULTS;

export const LENGTHS = [12, 24, 48, 100];
/** The server leaves out no more items than so many from the top. */
export const MAX_OFFSET = 900;

/** The request of a list; null where nobody is chosen whose it could be. */
export function listRequest(state: ListState): ListRequest | null {
  const history = unpackNames(state.session);
  if (!state.user && history.length === 0) return null;
  const k = whole(state.k, 24, 100);
  const brand = unpackNames(state.brand);
  const category = unpackNames(state.category);
  const min = price(state.min);
  const max = price(state.max);
  return {
    ...(state.user ? { user_id: state.user } : { history }),
    model: state.model,
    k,
    offset: Math.min((whole(state.page, 1, Infinity) - 1) * k, MAX_OFFSET),
    exclude_seen: state.seen === "purchases" ? "purchases" : state.seen !== "false",
    ...(brand.length > 0 && { brand }),
    ...(category.length > 0 && { category }),
    ...(min !== null && { min_price: min }),
    ...(max !== null && { max_price: max }),
    ...(state.as_of && { as_of: state.as_of }),
    ...(state.scenario && { scenario: state.scenario }),
  };
}

/** A whole number from 1 to a bound; what is none, as in an address that was typed, is the default. */
function whole(text: string, byDefault: number, bound: number): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 ? Math.min(value, bound) : byDefault;
}

function price(text: string): number | null {
  const value = Number(text);
  return text !== "" && Number.isFinite(value) && value >= 0 ? value : null;
}
