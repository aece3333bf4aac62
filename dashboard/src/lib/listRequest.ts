/** What a list is asked for with, and where a page has it in its address. */

import type { Schema } from "@/api/client";

import { LENGTHS, offsetOf } from "./listPages";
import { unpackNames } from "./names";
import { countOf, priceOf } from "./typed";

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

/** The request of a list; null where nobody is chosen whose it could be. */
export function listRequest(state: ListState): ListRequest | null {
  const history = unpackNames(state.session);
  if (!state.user && history.length === 0) return null;
  const k = lengthOf(state.k);
  const brand = unpackNames(state.brand);
  const category = unpackNames(state.category);
  const min = priceOf(state.min);
  const max = priceOf(state.max);
  return {
    ...(state.user ? { user_id: state.user } : { history }),
    model: state.model,
    k,
    offset: offsetOf(countOf(state.page), k),
    exclude_seen: state.seen === "purchases" ? "purchases" : state.seen !== "false",
    ...(brand.length > 0 && { brand }),
    ...(category.length > 0 && { category }),
    ...(min !== null && { min_price: min }),
    ...(max !== null && { max_price: max }),
    ...(state.as_of && { as_of: state.as_of }),
    ...(state.scenario && { scenario: state.scenario }),
  };
}

/** Items of a page; what cannot be, as in an address that was typed, is the default. */
function lengthOf(text: string): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1
    ? Math.min(value, Math.max(...LENGTHS))
    : Number(LIST_DEFAULTS.k);
}
