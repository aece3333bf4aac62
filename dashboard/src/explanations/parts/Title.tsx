import type { Schema } from "@/api/client";
import { ItemLink } from "@/components/Links";

/** An item by its title, as a link to its page. */
export function Title({ item, className = "" }: { item: Schema<"NamedItem">; className?: string }) {
  return (
    <ItemLink id={item.item_id} className={`text-accent ${className}`}>
      {item.title ?? item.item_id}
    </ItemLink>
  );
}
