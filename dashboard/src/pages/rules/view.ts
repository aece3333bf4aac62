/** What the page's address says: the list of rules, or the one that is being written. */

import { t } from "@/strings/en";

import type { Saved } from "./useRuleEditor";

/** The list: no rule is edited (`rule`), and none begun (`new`, with what `brand`, `item` or `action` say of it). */
export const LIST = {
  rule: "",
  new: "",
  brand: "",
  item: "",
  action: "",
  way: "form",
  user: "",
  seed: "0",
};
export const DEFAULTS = { ...LIST, history: "" };
export type View = typeof DEFAULTS;

/** What was just saved, and a user on whose list it can be seen. */
export interface JustSaved extends Saved {
  user: string;
}

export function savedText({ id, done, enabled }: Saved): string {
  if (done === "nothing") return t.rules.savedSame(id);
  return enabled ? t.rules.saved(id) : t.rules.savedOff(id);
}
