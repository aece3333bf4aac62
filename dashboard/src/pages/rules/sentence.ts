/** A rule as a sentence. */

import { format } from "@/lib/format";
import { t } from "@/strings/en";

import type { ItemCondition, UserCondition } from "./conditions";
import { draftOf, type Draft } from "./rule";

const words = t.rules.sentence;
const either = new Intl.ListFormat("en", { type: "disjunction" });
const both = new Intl.ListFormat("en", { type: "conjunction" });

const MOST_NAMES = 3;

/** What the terms of a rule say. */
export function sentenceOf(terms: Record<string, unknown>): string {
  return sentence(draftOf("", terms));
}

/** What a draft says as it stands. */
export function sentence(draft: Draft): string {
  const users = usersText(draft);
  const scenario = draft.scenario.trim();
  return [
    actionText(draft),
    users ? words.forUsers(users) : "",
    scenario ? words.scenario(scenario) : "",
    ".",
  ].join("");
}

function actionText(draft: Draft): string {
  const items = itemsText(draft);
  const { by = "", slot = "", share = "", most = "", window = "", weight = "" } = draft.values;
  const anyItems = draft.where.text.trim() === "";
  switch (draft.type) {
    case "hide":
      return words.hide(items);
    case "require":
      return words.require(items);
    case "boost":
      return words.boost(items, by);
    case "bury":
      return words.bury(items);
    case "pin":
      return words.pin(items, slot);
    case "promote":
      return words.promote(items, format.percent(Number(share)));
    case "cap":
      return words.cap(most, groupName(by), window) + (anyItems ? "" : words.counting(items));
    case "mmr":
      return words.mmr(weight) + (anyItems ? "" : words.among(items));
    case "calibrate":
      return words.calibrate(groupName(by), weight) + (anyItems ? "" : words.among(items));
    default:
      return words[draft.type] + (anyItems ? "" : words.among(items));
  }
}

const groupName = (by: string) => by.replaceAll("_", " ");

function itemsText({ where: { conditions, text } }: Draft): string {
  if (text.trim() === "") return words.allItems;
  if (conditions === null) return words.where(text.trim());
  const [first] = conditions;
  if (conditions.length === 1 && first?.kind === "items") return words.these(named(first.names));
  return [words.items, ...conditions.map(itemText)].filter(Boolean).join(" ");
}

function itemText(condition: ItemCondition): string {
  switch (condition.kind) {
    case "brand":
      return condition.names.length ? words.brand(named(condition.names)) : "";
    case "category":
      return condition.names.length ? words.category(named(condition.names)) : "";
    case "items":
      return condition.names.length ? `(${named(condition.names)})` : "";
    case "price":
      return priceText(condition.from.trim(), condition.to.trim());
    case "title":
      return condition.text ? words.titled(condition.text) : "";
    case "age":
      return condition.days.trim() ? words.age(condition.days.trim()) : "";
  }
}

function priceText(from: string, to: string): string {
  if (from && to) return words.price(from, to);
  if (from) return words.priceFrom(from);
  return to ? words.priceTo(to) : "";
}

function usersText({ when: { conditions, text } }: Draft): string {
  if (text.trim() === "") return "";
  if (conditions === null) return words.when(text.trim());
  return both.format(conditions.map(userText).filter(Boolean));
}

function userText(condition: UserCondition): string {
  switch (condition.kind) {
    case "new":
      return words.newUsers;
    case "known":
      return words.knownUsers;
    case "segment": {
      const segments: Record<string, string> = t.rules.segments;
      return words.spending(either.format(condition.names.map((name) => segments[name] ?? name)));
    }
    case "away":
      return words.away(condition.days);
    case "users":
      return named(condition.names);
    case "context":
      return words.context(condition.name, condition.text);
  }
}

/** Some names of a list that may be long. */
function named(names: string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => `“${name}”`);
  if (names.length > MOST_NAMES) return words.more(shown.join(", "), names.length - MOST_NAMES);
  return either.format(shown);
}
