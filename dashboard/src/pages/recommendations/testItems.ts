import type { ListedItem } from "./listOrder";

/** An item of a list, for tests. */
export function listed(some: Partial<ListedItem> & { item_id: string }): ListedItem {
  return {
    rank: 1,
    title: null,
    brand: null,
    price: null,
    score: 0,
    confidence: 0,
    retrieval_score: null,
    predicted_rating: null,
    source: "two_tower",
    sources: ["two_tower"],
    model_source: "ranker",
    ...some,
  };
}
