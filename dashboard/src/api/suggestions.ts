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

/** A name in the catalogue, and how many items bear it. */
export type NamedItems = Schema<"CatalogueName">;

/** Brands by words of their names, those of the most items first. */
export async function suggestBrands(query: string, signal: AbortSignal): Promise<NamedItems[]> {
  const asked = { limit: MOST, ...(query && { query }) };
  return (await answer(api.GET("/catalogue/brands", { params: { query: asked }, signal }))).names;
}

/** Categories, the same way. */
export async function suggestCategories(query: string, signal: AbortSignal): Promise<NamedItems[]> {
  const asked = { limit: MOST, ...(query && { query }) };
  return (await answer(api.GET("/catalogue/categories", { params: { query: asked }, signal }))).names;
}
