/** The event that a person fills in a form for. */

import type { Schema } from "@/api/client";

export type EventType = Schema<"EventBody">["event_type"];

/** Of the types that the server knows those that shops send most. */
export const TYPES = [
  "view",
  "click",
  "add_to_cart",
  "purchase",
  "rating",
  "remove_from_cart",
  "refund",
] as const satisfies EventType[];

export interface Draft {
  item: { item_id: string; title: string | null; price: number | null } | null;
  type: EventType;
  /** As it was typed. */
  rating: string;
}

export const EMPTY_DRAFT: Draft = { item: null, type: "view", rating: "5" };

/** What is to be sent; null while something is missing. A purchase is told with the catalogue's price, of one piece. */
export function eventOf(userId: string, { item, type, rating }: Draft): Schema<"EventBody"> | null {
  if (!item) return null;
  const event = { user_id: userId, item_id: item.item_id, event_type: type };
  if (type === "rating") {
    const value = Number(rating);
    return rating.trim() === "" || !Number.isFinite(value) ? null : { ...event, rating: value };
  }
  if (type === "purchase")
    return { ...event, quantity: 1, ...(item.price !== null && { price: item.price }) };
  return event;
}
