/** Looking within a list that is there: which of its items are shown, and in which order. */

import type { Cards } from "@/api/cards";
import type { Schema } from "@/api/client";

export type ListedItem = Schema<"RecommendedItem">;

export const ORDERS = ["rank", "score", "-price", "price", "rating", "popularity"] as const;
export type Order = (typeof ORDERS)[number];

/** The items that hold every word looked for, in title, brand, id or categories. */
export function found(items: ListedItem[], cards: Cards, text: string): ListedItem[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  if (words.length === 0) return items;
  return items.filter((item) => {
    const categories = cards.get(item.item_id)?.categories ?? [];
    const read = plain([item.title, item.brand, item.item_id, ...categories].join(" "));
    return words.every((word) => read.includes(word));
  });
}

/** Letters without case and accents, so that "creme" finds "Crème". */
function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLocaleLowerCase();
}

/** Most first, but for `price`, the cheapest first; what is not known comes last, and the rank decides between equals. */
export function ordered(items: ListedItem[], cards: Cards, order: Order): ListedItem[] {
  const sign = order === "price" || order === "rank" ? 1 : -1;
  const value = (item: ListedItem) => valueOf(item, cards, order);
  return [...items].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || one.rank - other.rank;
    return sign * (a - b) || one.rank - other.rank;
  });
}

function valueOf(item: ListedItem, cards: Cards, order: Order): number | null {
  switch (order) {
    case "rank":
      return item.rank;
    case "score":
      return item.score;
    case "price":
    case "-price":
      return item.price;
    case "rating":
      return item.predicted_rating;
    case "popularity":
      return cards.get(item.item_id)?.popularity ?? null;
  }
}
