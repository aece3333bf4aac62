/** An experiment as it is being written: what stands in the fields. */

import type { Schema } from "@/api/client";
import { t } from "@/strings/en";

import { termsOf } from "./terms";
import type { ExperimentRow, Terms } from "./queries";

export interface VariantDraft {
  name: string;
  weight: string;
  model: string;
  bundle: string;
  rules: string;
  k: string;
  explain: string;
}

export interface GuardrailDraft {
  metric: string;
  /** In percent. */
  most: string;
}

export interface Draft {
  key: string;
  title: string;
  mode: Terms["mode"];
  layer: string;
  /** In percent. */
  traffic: string;
  primary: Terms["primary"];
  leastUsers: string;
  variants: VariantDraft[];
  guardrails: GuardrailDraft[];
  /** What the form has no field for, as it was read. */
  rest: Pick<Terms, "salt" | "alpha" | "winsorised">;
}

const asText = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

export const emptyVariant = (name: string): VariantDraft => ({
  name,
  weight: "1",
  model: "",
  bundle: "",
  rules: "",
  k: "",
  explain: "",
});

export const NEW: Draft = {
  key: "",
  title: "",
  mode: "split",
  layer: "default",
  traffic: "100",
  primary: "ctr",
  leastUsers: "100",
  variants: [emptyVariant("control"), emptyVariant("trial")],
  guardrails: [],
  rest: { salt: "", alpha: 0.05, winsorised: 0.99 },
};

/** What is in the fields when an experiment is opened; one that cannot be read is written anew. */
export function draftOf(row: ExperimentRow): Draft {
  const terms = termsOf(row);
  if (terms === null) return { ...NEW, key: row.key };
  return {
    key: row.key,
    title: terms.title,
    mode: terms.mode,
    layer: terms.layer,
    traffic: percentOf(terms.traffic),
    primary: terms.primary,
    leastUsers: String(terms.least_users),
    variants: terms.variants.map(({ name, weight, overrides }) => ({
      name,
      weight: asText(weight ?? 1),
      model: asText(overrides?.model),
      bundle: asText(overrides?.bundle),
      rules: asText(overrides?.rules),
      k: asText(overrides?.k),
      explain: asText(overrides?.explain),
    })),
    guardrails: (terms.guardrails ?? []).map(({ metric, most }) => ({ metric, most: percentOf(most) })),
    rest: { salt: terms.salt, alpha: terms.alpha, winsorised: terms.winsorised },
  };
}

/** The terms that the shown fields say. What is no number is sent as it is: the server says what is wrong with it. */
export function termsFrom(draft: Draft): Terms {
  return {
    ...draft.rest,
    title: draft.title,
    mode: draft.mode,
    layer: draft.layer,
    traffic: shareFrom(draft.traffic),
    primary: draft.primary,
    least_users: number(draft.leastUsers),
    variants: draft.variants.map(draft.mode === "interleaved" ? teamFrom : variantFrom),
    guardrails: draft.guardrails.map(({ metric, most }) => ({
      metric: metric as Schema<"Guardrail">["metric"],
      most: shareFrom(most),
    })),
  };
}

function variantFrom({ name, weight, model, bundle, rules, k, explain }: VariantDraft): Schema<"Variant"> {
  const overrides = {
    ...(model && { model }),
    ...(bundle && { bundle }),
    ...(rules && { rules: rules as "none" }),
    ...(k && { k: number(k) }),
    ...(explain && { explain: explain as "none" | "cheap" }),
  };
  return { name, weight: number(weight), overrides } as Schema<"Variant">;
}

/** Of lists that are drafted from two, a team chooses the items alone. */
const teamFrom = ({ name, model, bundle }: VariantDraft): Schema<"Variant"> =>
  variantFrom({ ...emptyVariant(name), model, bundle });

function number(text: string): number {
  const value = Number(text);
  return (text.trim() !== "" && Number.isFinite(value) ? value : text) as number;
}

const percentOf = (share: number): string => String(Number((100 * share).toPrecision(12)));

function shareFrom(percent: string): number {
  const value = number(percent);
  return typeof value === "number" ? value / 100 : value;
}

const FIELD =
  /^(?:key|title|layer|traffic|primary|least_users|variants\.\d+\.(?:name|weight|overrides\.\w+)|guardrails\.\d+\.(?:metric|most))$/;
const IN_PERCENT = /^(?:traffic|guardrails\.\d+\.most)$/;

/** A refusal's complaints by the fields that they are about; what belongs to none is under "". */
export function complaintsOf(detail: string): Record<string, string> {
  const found = detail.split(/(?<=\)); (?=[a-z][\w.]*: )/).map((complaint) => {
    const [, place = "", text = complaint] = /^([a-z][\w.]*): (.*)$/s.exec(complaint) ?? [];
    return { place, text: text.replace(/ \(got .*\)$/s, "") };
  });
  // Where a variant is refused, the server misses it among the variants, too.
  const ofOne = found.some(({ place }) => /^variants\.\d/.test(place));
  const complaints: Record<string, string> = {};
  for (const { place, text } of found) {
    if (place === "variants" && ofOne) continue;
    const field = FIELD.test(place) ? place : "";
    const said = field
      ? saidAt(field, text)
      : place === "" || place === "request"
        ? text
        : `${place}: ${text}`;
    complaints[field] = complaints[field] ? `${complaints[field]}; ${said}` : said;
  }
  return complaints;
}

/** A complaint as its field has it: shares are in percent there, and nobody reads patterns. */
function saidAt(field: string, text: string): string {
  if (text.startsWith("String should match pattern")) return t.experiments.form.nameHint;
  if (!IN_PERCENT.test(field)) return text;
  return text.replace(/ ([\d.]+)$/, (_, limit: string) => ` ${percentOf(Number(limit))}`);
}
