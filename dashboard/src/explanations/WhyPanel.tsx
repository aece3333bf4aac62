import type { Schema } from "@/api/client";
import type { ListRequest } from "@/lib/listRequest";

import { FullExplanation } from "./FullExplanation";
import { CheapWhy } from "./parts/CheapWhy";
import { PartLevel } from "./parts/Part";

type Props = { request: ListRequest } & ({ item: Schema<"RecommendedItem"> } | { itemId: string });

/** Why an item is in a list: the reason that the list carries at once, and then everything behind it. */
export function WhyPanel(props: Props) {
  const item = "item" in props ? props.item : null;
  const itemId = "item" in props ? props.item.item_id : props.itemId;
  return (
    <PartLevel value={4}>
      <FullExplanation
        request={props.request}
        itemId={itemId}
        meanwhile={item?.why && <CheapWhy why={item.why} />}
      />
    </PartLevel>
  );
}
