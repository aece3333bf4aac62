/**
 * What a person clicks together, as an expression of the rules' language, and back.
 *
 * `conditions.cases.json` holds examples; a Python test asks the real language what they mean.
 */

export const SEGMENTS = ["small", "low_average", "average", "high"] as const;

/** Which items. Lists, texts and numbers may be empty while a person is at it. */
export type ItemCondition =
  | { kind: "brand"; names: string[] }
  | { kind: "category"; names: string[] }
  | { kind: "price"; from: string; to: string }
  | { kind: "items"; names: string[] }
  | { kind: "title"; text: string }
  | { kind: "age"; days: string };

/** Which users and requests. */
export type UserCondition =
  | { kind: "new" }
  | { kind: "known" }
  | { kind: "segment"; names: string[] }
  | { kind: "away"; days: string }
  | { kind: "users"; names: string[] }
  | { kind: "context"; name: string; text: string };

const AND = " && ";
const TEXT = String.raw`"(?:[^"\\]|\\.)*"`;
const TEXTS = String.raw`\[(?:${TEXT}(?:, )?)+\]`;
const NUMBER = String.raw`\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const NAME = String.raw`[A-Za-z_][A-Za-z0-9_]*`;

/** A text as the language writes it; its escapes are among those of JSON. */
export const quoted = (text: string): string => JSON.stringify(text);

/** The items' expression; empty where nothing is said yet. */
export function itemsExpression(conditions: ItemCondition[]): string {
  return joined(conditions.map(itemTerm));
}

/** The users' expression; empty: for everyone. */
export function usersExpression(conditions: UserCondition[]): string {
  return joined(conditions.map(userTerm));
}

/** What the form shows of an expression; null: it was not written by the form. */
export function readItems(expression: string): ItemCondition[] | null {
  return read(expression, ITEM_TERMS, itemsExpression);
}

export function readUsers(expression: string): UserCondition[] | null {
  return read(expression, USER_TERMS, usersExpression);
}

/** Names that an expression reads of the request's context. */
export function contextNames(expression: string): string[] {
  const bare = expression.replace(new RegExp(TEXT, "g"), "").replace(/'(?:[^'\\]|\\.)*'/g, "");
  const found = [...bare.matchAll(new RegExp(String.raw`\bcontext\.(${NAME})`, "g"))];
  return [...new Set(found.map(([, name = ""]) => name))];
}

function joined(terms: string[]): string {
  return terms.filter((term) => term !== "").join(AND);
}

function itemTerm(condition: ItemCondition): string {
  switch (condition.kind) {
    case "brand":
      return oneOf("item.brand", condition.names);
    case "items":
      return oneOf("item.id", condition.names);
    case "category":
      return anyOf(condition.names.map((name) => `${quoted(name)} in item.categories`));
    case "price":
      return joined([bound("item.price >= ", condition.from), bound("item.price <= ", condition.to)]);
    case "title":
      return condition.text === "" ? "" : `item.title.contains(${quoted(condition.text)})`;
    case "age":
      return bound("item.age <= ", condition.days);
  }
}

function userTerm(condition: UserCondition): string {
  switch (condition.kind) {
    case "new":
      return "user.new";
    case "known":
      return "!user.new";
    case "segment":
      return oneOf("user.segment", condition.names);
    case "away":
      return bound("user.days_since_last >= ", condition.days);
    case "users":
      return oneOf("user.id", condition.names);
    case "context":
      return isName(condition.name) && condition.text !== ""
        ? `context.${condition.name} == ${quoted(condition.text)}`
        : "";
  }
}

/** Whether it can stand behind `context.`. */
export const isName = (text: string): boolean => new RegExp(`^${NAME}$`).test(text);

function oneOf(field: string, names: string[]): string {
  const [only = ""] = names;
  if (names.length === 0) return "";
  if (names.length === 1) return `${field} == ${quoted(only)}`;
  return `${field} in [${names.map(quoted).join(", ")}]`;
}

function anyOf(terms: string[]): string {
  return terms.length > 1 ? `(${terms.join(" || ")})` : (terms[0] ?? "");
}

/** Numbers below 0 are none of the form's: it asks for prices and days. */
function bound(comparison: string, typed: string): string {
  const number = Number(typed);
  return typed.trim() === "" || !Number.isFinite(number) || number < 0 ? "" : `${comparison}${number}`;
}

interface Term<Condition> {
  pattern: string;
  read: (groups: Record<string, string | undefined>) => Condition;
}

const CATEGORY = String.raw`${TEXT} in item\.categories`;

const ITEM_TERMS: Term<ItemCondition>[] = [
  {
    pattern: String.raw`item\.brand (?:== (?<one>${TEXT})|in (?<several>${TEXTS}))`,
    read: (groups) => ({ kind: "brand", names: namesOf(groups) }),
  },
  {
    pattern: String.raw`item\.id (?:== (?<one>${TEXT})|in (?<several>${TEXTS}))`,
    read: (groups) => ({ kind: "items", names: namesOf(groups) }),
  },
  {
    pattern: String.raw`(?<several>${CATEGORY}|\((?:${CATEGORY}(?: \|\| )?)+\))`,
    read: (groups) => ({ kind: "category", names: namesOf(groups) }),
  },
  {
    pattern: String.raw`item\.price >= (?<from>${NUMBER})(?: && item\.price <= (?<to>${NUMBER}))?`,
    read: ({ from = "", to = "" }) => ({ kind: "price", from, to }),
  },
  {
    pattern: String.raw`item\.price <= (?<to>${NUMBER})`,
    read: ({ to = "" }) => ({ kind: "price", from: "", to }),
  },
  {
    pattern: String.raw`item\.title\.contains\((?<one>${TEXT})\)`,
    read: (groups) => ({ kind: "title", text: namesOf(groups)[0] ?? "" }),
  },
  {
    pattern: String.raw`item\.age <= (?<days>${NUMBER})`,
    read: ({ days = "" }) => ({ kind: "age", days }),
  },
];

const USER_TERMS: Term<UserCondition>[] = [
  { pattern: String.raw`user\.new`, read: () => ({ kind: "new" }) },
  { pattern: String.raw`!user\.new`, read: () => ({ kind: "known" }) },
  {
    pattern: String.raw`user\.segment (?:== (?<one>${TEXT})|in (?<several>${TEXTS}))`,
    read: (groups) => ({ kind: "segment", names: namesOf(groups) }),
  },
  {
    pattern: String.raw`user\.days_since_last >= (?<days>${NUMBER})`,
    read: ({ days = "" }) => ({ kind: "away", days }),
  },
  {
    pattern: String.raw`user\.id (?:== (?<one>${TEXT})|in (?<several>${TEXTS}))`,
    read: (groups) => ({ kind: "users", names: namesOf(groups) }),
  },
  {
    pattern: String.raw`context\.(?<name>${NAME}) == (?<one>${TEXT})`,
    read: ({ name = "", one = '""' }) => ({ kind: "context", name, text: unquoted(one) }),
  },
];

function read<Condition>(
  expression: string,
  terms: Term<Condition>[],
  write: (conditions: Condition[]) => string,
): Condition[] | null {
  const conditions: Condition[] = [];
  let rest = expression.trim();
  while (rest !== "") {
    const found = firstTerm(rest, terms);
    if (!found) return null;
    conditions.push(found.condition);
    rest = rest.slice(found.length);
    if (rest.startsWith(AND)) rest = rest.slice(AND.length);
    else if (rest !== "") return null;
  }
  // Whatever was read in another sense than it was written in would come out as another text.
  return write(conditions) === expression.trim() ? conditions : null;
}

function firstTerm<Condition>(text: string, terms: Term<Condition>[]) {
  for (const { pattern, read: readTerm } of terms) {
    const match = new RegExp(`^(?:${pattern})`, "s").exec(text);
    if (!match) continue;
    try {
      return { condition: readTerm(match.groups ?? {}), length: match[0].length };
    } catch {
      return null; // an escape that JSON does not know
    }
  }
  return null;
}

function namesOf({ one, several }: Record<string, string | undefined>): string[] {
  const texts = (one ?? several ?? "").match(new RegExp(TEXT, "gs")) ?? [];
  return texts.map(unquoted);
}

function unquoted(text: string): string {
  return String(JSON.parse(text));
}
