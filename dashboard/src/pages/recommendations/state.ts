/** What the page's address says: a list, what it is compared with, and how it is looked at. */

import { LIST_DEFAULTS } from "@/lib/listRequest";

export const DEFAULTS = {
  ...LIST_DEFAULTS,
  /** "1": a new visitor, whose session may have no item yet. */
  visitor: "",
  /** Model of the list beside; none. */
  against: "",
  /** Looked for within the list. */
  find: "",
  sort: "rank",
};
export type State = typeof DEFAULTS;
export type Change = (some: Partial<State>, options?: { replace?: boolean }) => void;

/** Parts of a list that narrow it, or say of when it is; each counts as one in the head of the filters. */
export const FILTERS = ["brand", "category", "min", "max", "seen", "as_of", "scenario"] as const;

export function filtersSet(state: State): number {
  return FILTERS.filter((name) => state[name] !== DEFAULTS[name]).length;
}

export const NO_FILTERS = Object.fromEntries(FILTERS.map((name) => [name, DEFAULTS[name]])) as Partial<State>;

export function isVisitor(state: State): boolean {
  return !state.user && (state.visitor === "1" || state.session !== "");
}
