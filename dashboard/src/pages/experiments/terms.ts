/** What an experiment says, in words. */

import type { Schema } from "@/api/client";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import type { ExperimentRow, Terms } from "./queries";

const words = t.experiments;

/** The terms of a row, with what it leaves out; null: this program cannot read them. */
export function termsOf(row: ExperimentRow): Terms | null {
  if (row.status === "fault") return null;
  const told = row.terms as Partial<Terms>;
  return {
    title: "",
    layer: "default",
    traffic: 1,
    salt: "",
    mode: "split",
    primary: "ctr",
    guardrails: [],
    alpha: 0.05,
    winsorised: 0.99,
    least_users: 100,
    variants: [],
    ...told,
  };
}

/** What people call it: its title, or else its key. */
export function titleOf(row: ExperimentRow): string {
  const title = termsOf(row)?.title;
  return title ? title : row.key;
}

/** What is different of the lists of a variant. */
export function overridesText(variant: Schema<"Variant">): string {
  const told = Object.entries(variant.overrides ?? {}).filter(([, value]) => value !== null);
  if (told.length === 0) return words.asEver;
  return told
    .map(([name, value]) => words.overrides[name as keyof typeof words.overrides](String(value)))
    .join(", ");
}

/** The share of the experiment's users whom a variant gets. */
export function shareOf(variant: Schema<"Variant">, { variants }: Terms): number {
  const all = variants.reduce((sum, { weight = 1 }) => sum + weight, 0);
  return all === 0 ? 0 : (variant.weight ?? 1) / all;
}

/** Which users an experiment has. */
export function usersText(terms: Terms): string {
  return terms.traffic === 1
    ? words.allUsers(terms.layer)
    : words.someUsers(format.percent(terms.traffic), terms.layer);
}
