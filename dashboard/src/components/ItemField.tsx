import type { Schema } from "@/api/client";
import { suggestItems } from "@/api/suggestions";

import { Autocomplete } from "./Autocomplete";
import { ItemImage } from "./ItemImage";
import { Price } from "./Price";

type Item = Schema<"FoundItem">;

interface Props {
  label: string;
  placeholder?: string;
  value: string;
  onChoose: (item: Item) => void;
  /** Enter on what was typed, such as an id. */
  onSubmit?: (typed: string) => void;
  clearAfterChoice?: boolean;
}

/** A field that finds an item of the catalogue while a person types. */
export function ItemField(props: Props) {
  return (
    <Autocomplete<Item>
      {...props}
      name="items"
      suggest={suggestItems}
      textOf={nameOf}
      show={(item) => (
        <span className="flex items-center gap-2">
          <ItemImage image={item.image} categories={item.categories} className="size-8 shrink-0 rounded-md" />
          <span className="min-w-0 flex-1">
            <span className="block truncate">{nameOf(item)}</span>
            <span className="block truncate text-xs text-muted">
              {item.brand && `${item.brand} · `}
              <Price value={item.price} />
            </span>
          </span>
        </span>
      )}
    />
  );
}

function nameOf({ title, item_id }: Item): string {
  return title ?? item_id;
}
