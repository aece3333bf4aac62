import type { ListRequest } from "@/lib/listRequest";

import { confidenceBars, scoreBars } from "./bars";
import { ItemCard } from "./ItemCard";
import type { Cards, ListedItem } from "./listOrder";

interface Props {
  request: ListRequest;
  /** The whole list, which bars are scaled by; and those of it that are shown, in their order. */
  all: ListedItem[];
  shown: ListedItem[];
  cards: Cards;
}

/** The cards of a list in one, two or three columns. */
export function CardGrid({ request, all, shown, cards }: Props) {
  const scores = scoreBars(all);
  const confidences = confidenceBars(all);
  return (
    <ol className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
      {shown.map((item) => (
        <li key={item.item_id} className="min-w-0">
          <ItemCard
            item={item}
            request={request}
            card={cards.get(item.item_id)}
            scoreBar={scores.get(item.item_id) ?? 0}
            confidenceBar={confidences.get(item.item_id) ?? 0}
          />
        </li>
      ))}
    </ol>
  );
}
