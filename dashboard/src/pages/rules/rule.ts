/** A rule while a person is at it: every field as it was typed. */

import type { Schema } from "@/api/client";
import { localField, momentOf } from "@/lib/moments";

import {
  contextNames,
  itemsExpression,
  readItems,
  readUsers,
  usersExpression,
  type ItemCondition,
  type UserCondition,
} from "./conditions";

export type RuleRow = Schema<"RuleRow">;
export type RuleTerms = Schema<"RuleTerms">;
export type Action = RuleTerms["action"];
export type ActionType = Action["type"];

/** One of a rule's two expressions: as conditions of the form, or, where they are null, as text alone. */
export interface Side<Condition> {
  conditions: Condition[] | null;
  text: string;
}

export interface Draft {
  id: string;
  type: ActionType;
  /** Numbers and choices of the action, by field. */
  values: Record<string, string>;
  where: Side<ItemCondition>;
  when: Side<UserCondition>;
  scenario: string;
  priority: string;
  /** Local times as fields of type datetime-local have them. */
  validFrom: string;
  validTo: string;
  enabled: boolean;
  note: string;
}

export const NEEDS_WHERE: readonly ActionType[] = ["hide", "require", "boost", "bury", "pin", "promote"];

type FieldsOf<Type extends ActionType> = Exclude<keyof Extract<Action, { type: Type }>, "type">;

export interface FieldSpec {
  /** group: brand, category or a column; order: of a calibrated list. */
  kind: "number" | "whole" | "group" | "order";
  initial: string;
  min?: number;
  max?: number;
  step?: number;
}

/** Every field of every action: one that the API gains or loses is an error of types here. */
export const ACTION_FIELDS: { [Type in ActionType]: Record<FieldsOf<Type>, FieldSpec> } = {
  hide: {},
  require: {},
  boost: { by: { kind: "number", initial: "0.5", min: 0, max: 3, step: 0.1 } },
  bury: {},
  pin: { slot: { kind: "whole", initial: "1", min: 1, max: 100, step: 1 } },
  promote: { share: { kind: "number", initial: "0.2", min: 0, max: 1, step: 0.05 } },
  cap: {
    by: { kind: "group", initial: "brand" },
    most: { kind: "whole", initial: "2", min: 1, max: 100, step: 1 },
    window: { kind: "whole", initial: "", min: 2, max: 100, step: 1 },
  },
  mmr: { weight: { kind: "number", initial: "0.3", min: 0, max: 1, step: 0.05 } },
  calibrate: {
    by: { kind: "group", initial: "category" },
    weight: { kind: "number", initial: "0.3", min: 0, max: 1, step: 0.05 },
    latest: { kind: "number", initial: "0", min: 0, max: 3, step: 0.1 },
    order: { kind: "order", initial: "choice" },
  },
  upsell: {
    factor: { kind: "number", initial: "0.1", min: 0, max: 100, step: 0.1 },
    weight: { kind: "number", initial: "0.2", min: 0, max: 100, step: 0.1 },
    most: { kind: "number", initial: "1.5", min: 1, max: 100, step: 0.1 },
  },
  price_fit: {
    weight: { kind: "number", initial: "0.1", min: 0, max: 100, step: 0.1 },
    tolerance: { kind: "number", initial: "1.5", min: 0, max: 100, step: 0.1 },
  },
  repurchase: {
    from_share: { kind: "number", initial: "1", min: 0, max: 10, step: 0.1 },
    default_days: { kind: "number", initial: "30", min: 0, max: 3650, step: 1 },
  },
};

export const ACTION_TYPES = Object.keys(ACTION_FIELDS) as ActionType[];

export function fieldsOf(type: ActionType): [string, FieldSpec][] {
  return Object.entries<FieldSpec>(ACTION_FIELDS[type]);
}

export function initialValues(type: ActionType): Record<string, string> {
  return Object.fromEntries(fieldsOf(type).map(([name, { initial }]) => [name, initial]));
}

/** A rule to begin with: it hides items of a brand that is yet to be named. */
export function newDraft(
  where: ItemCondition[] = [{ kind: "brand", names: [] }],
  type: ActionType = "hide",
): Draft {
  return {
    id: "",
    type,
    values: initialValues(type),
    where: sideOfItems(where),
    when: { conditions: [], text: "" },
    scenario: "",
    priority: "0",
    validFrom: "",
    validTo: "",
    enabled: true,
    note: "",
  };
}

export const sideOfItems = (conditions: ItemCondition[]): Side<ItemCondition> => ({
  conditions,
  text: itemsExpression(conditions),
});

export const sideOfUsers = (conditions: UserCondition[]): Side<UserCondition> => ({
  conditions,
  text: usersExpression(conditions),
});

export const sideOfItemsText = (text: string): Side<ItemCondition> => ({ conditions: readItems(text), text });

export const sideOfUsersText = (text: string): Side<UserCondition> => ({ conditions: readUsers(text), text });

/** The terms of a rule as the API tells them, which leaves out what was left out. */
export function draftOf(id: string, terms: Record<string, unknown>): Draft {
  const { action, where, when, scenario, priority, valid_from, valid_to, enabled, note } =
    terms as Partial<RuleTerms>;
  const type = action?.type ?? "hide";
  const given = Object.entries(action ?? {}).filter(([name, value]) => name !== "type" && value !== null);
  return {
    id,
    type,
    values: {
      ...initialValues(type),
      ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    },
    where: sideOfItemsText(where ?? ""),
    when: sideOfUsersText(when ?? ""),
    scenario: scenario ?? "",
    priority: String(priority ?? 0),
    validFrom: localField(valid_from),
    validTo: localField(valid_to),
    enabled: enabled ?? true,
    note: note ?? "",
  };
}

/** What the draft says, as the API takes it. What was not filled in is left out, and the server says what it needs. */
export function termsOf(draft: Draft): RuleTerms {
  const action: Record<string, unknown> = { type: draft.type };
  for (const [name, { kind }] of fieldsOf(draft.type)) {
    const typed = (draft.values[name] ?? "").trim();
    if (typed !== "") action[name] = kind === "number" || kind === "whole" ? numberOf(typed) : typed;
  }
  const terms: Record<string, unknown> = {
    action,
    where: draft.where.text.trim(),
    when: draft.when.text.trim(),
    scenario: draft.scenario.trim(),
    valid_from: momentOf(draft.validFrom),
    valid_to: momentOf(draft.validTo),
    note: draft.note,
  };
  const said = Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== ""));
  const priority = draft.priority.trim();
  return {
    ...said,
    ...(priority === "" ? {} : { priority: numberOf(priority) }),
    enabled: draft.enabled,
  } as RuleTerms;
}

/** What is no number goes to the server as it is, which says so at its field. */
const numberOf = (typed: string): number | string => (Number.isFinite(Number(typed)) ? Number(typed) : typed);

/** What requests of a preview say, by name: what a person gave, else what the rule asks for. */
export function previewContext(draft: Draft, given: Record<string, string>): Record<string, string> {
  const asked = new Map<string, string>();
  for (const condition of draft.when.conditions ?? [])
    if (condition.kind === "context") asked.set(condition.name, condition.text);
  const names = contextNames(draft.when.text);
  return Object.fromEntries(names.map((name) => [name, given[name] ?? asked.get(name) ?? ""]));
}

/** Whether something is still missing without which there is nothing to try. */
export function lacksItems(draft: Draft): boolean {
  return NEEDS_WHERE.includes(draft.type) && draft.where.text.trim() === "";
}

/** A name for a rule that has none yet, of what it does; none of those taken. */
export function suggestedId(draft: Draft, taken: ReadonlySet<string>): string {
  const condition = draft.where.conditions?.[0];
  const named = condition && "names" in condition ? (condition.names[0] ?? "") : (condition?.kind ?? "");
  const words = [draft.type, named].join(" ").normalize("NFKD").replace(/\p{M}/gu, "");
  const plain =
    words
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 60) || "rule";
  if (!taken.has(plain)) return plain;
  for (let n = 2; ; n++) if (!taken.has(`${plain}-${n}`)) return `${plain}-${n}`;
}
