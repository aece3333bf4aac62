/** What fields suggest while a person types. */

import { answer, api, type Schema } from "./client";

const MOST = 8;

/** Users whose ids begin so. */
export async function suggestUsers(query: string, signal: AbortSignal): Promise<Schema<"UserRow">[]> {
  const asked = { limit: MOST, ...(query && { query }) };
  return (await answer(api.GET("/users", { params: { query: asked }, signal }))).users;
}

/** Items by words of the title, or by id. */
export async function suggestItems(query: string, signal: AbortSignal): Promise<Schema<"FoundItem">[]> {
  const asked = { limit: MOST, ...(query && { query }) };
  return (await answer(api.GET("/items", { params: { query: asked }, signal }))).items;
}

/** A name in the catalogue; how many items have it is known where the server counts them. */
export interface NamedItems {
  name: string;
  items: number | null;
}

export async function suggestBrands(query: string, signal: AbortSignal): Promise<NamedItems[]> {
  const found = await suggestItems(query, signal);
  return named(found.flatMap(({ brand }) => (brand ? [brand] : [])));
}

export async function suggestCategories(query: string, signal: AbortSignal): Promise<NamedItems[]> {
  const found = await suggestItems(query, signal);
  return named(found.flatMap(({ categories }) => categories));
}

const named = (names: string[]) => [...new Set(names)].map((name) => ({ name, items: null }));
