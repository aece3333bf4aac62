import { answer, api } from "@/api/client";

interface NamedItems {
  name: string;
  items: number;
}

/** Brands of the items that are found by what was typed. */
export async function suggestBrands(typed: string, signal: AbortSignal): Promise<NamedItems[]> {
  return counted((await found(typed, signal)).flatMap(({ brand }) => brand ?? []));
}

export async function suggestCategories(typed: string, signal: AbortSignal): Promise<NamedItems[]> {
  return counted((await found(typed, signal)).flatMap(({ categories }) => categories));
}

async function found(query: string, signal: AbortSignal) {
  return (await answer(api.GET("/items", { params: { query: { query, limit: 100 } }, signal }))).items;
}

function counted(names: string[]): NamedItems[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, items]) => ({ name, items })).slice(0, 12);
}
