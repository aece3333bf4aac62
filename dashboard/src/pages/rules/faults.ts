/** To which field of the editor a complaint of the server belongs. */

import type { Schema } from "@/api/client";

import { t } from "@/strings/en";

import type { Draft } from "./rule";

const words = t.rules.editor;

export type Finding = Schema<"RuleFinding">;

/** Fields of the editor; those of the action are `action.NAME`. */
export type FieldErrors = Record<string, string>;

const FIELDS = [
  "where",
  "when",
  "scenario",
  "priority",
  "valid_from",
  "valid_to",
  "note",
  "enabled",
  "rule_id",
  "id",
];
const FIELD = String.raw`(?:(?:body\.)?rules\.0\.?)?(?:action(?:\.[a-z_]+)*|${FIELDS.join("|")}|request)?`;

/** A 422's detail, which joins complaints by semicolons, by fields; what names none of them is under "". */
export function fieldErrors(detail: string): FieldErrors {
  const errors: FieldErrors = {};
  for (const complaint of detail.split(new RegExp(String.raw`; (?=${FIELD}(?::|, line))`))) {
    const [, named = "", place = "", text = complaint] =
      new RegExp(String.raw`^(${FIELD})(, line \d+, column \d+)?: (.*)$`, "s").exec(complaint) ?? [];
    const field = fieldNamed(named, text);
    const said = withoutInput(place ? `${place.slice(2)}: ${text}` : text);
    errors[field] = errors[field] ? `${errors[field]}; ${said}` : said;
  }
  return errors;
}

function fieldNamed(named: string, text: string): string {
  const path = named.replace(/^(body\.)?rules\.0\.?/, "");
  const parts = path.split(".");
  if (parts[0] === "action") return parts.length > 1 ? `action.${parts.at(-1) ?? ""}` : "action";
  if (path === "rule_id") return "id";
  if (path !== "" && path !== "request") return path;
  // What holds of the rule as a whole is said beside the field that mends it.
  if (text.includes("needs where")) return "where";
  if (text.includes("valid_from must be")) return "valid_to";
  return "";
}

/** Without what came instead: a person has it before their eyes. */
function withoutInput(text: string): string {
  return text.replace(/ \(got .*\)$/s, "");
}

/** Findings of one rule by the field that they are about; those of none are under "". */
export function findingsByField(findings: Finding[], draft: Draft): Record<string, Finding[]> {
  const by: Record<string, Finding[]> = {};
  for (const finding of findings) (by[fieldOfFinding(finding, draft)] ??= []).push(finding);
  return by;
}

function fieldOfFinding({ problem, message }: Finding, draft: Draft): string {
  const [, fault] = /^(where|when|action\.by)\b[,:]/.exec(message) ?? [];
  if (problem === "fault" && fault) return fault;
  if (problem !== "dead") return "";
  if (/\bwhere\b/.test(message)) return "where";
  if (/\bwhen\b/.test(message)) return "when";
  if (/has no slot/.test(message)) return "action.slot";
  if (/valid until/.test(message)) return "valid_to";
  if (/weight of 0/.test(message))
    return draft.type === "upsell" && draft.values["factor"] === "0" ? "action.factor" : "action.weight";
  return "";
}

/** All that is wrong, at the fields that it is about, and what belongs to none of them. */
export function complaints(
  draft: Draft,
  told: { errors: FieldErrors; findings: Finding[] },
  refused: FieldErrors,
): { errors: FieldErrors; rest: Finding[] } {
  const errors: FieldErrors = { ...told.errors, ...refused };
  const { "": rest = [], ...byField } = findingsByField(told.findings, draft);
  for (const [field, findings] of Object.entries(byField)) errors[field] ??= findings.map(textOf).join("; ");
  return { errors, rest };
}

/** A finding as its field says it, where what to do is often clear. */
function textOf({ problem, message, remedy }: Finding): string {
  if (problem === "fault") return message.replace(/^(where|when|action\.by)[,:] /, "");
  if (message.startsWith("where is true for no item")) return words.noItem;
  if (message.startsWith("when is true for none")) return words.noRequest;
  return `${message}: ${remedy}`;
}
