import { Window } from "@/components/Window";
import { FullExplanation } from "@/explanations/FullExplanation";
import { useCloseOnMove } from "@/explanations/useCloseOnMove";
import { format } from "@/lib/format";
import type { ListRequest } from "@/lib/listRequest";
import { sourceName } from "@/lib/sourceName";
import { t } from "@/strings/en";

import type { ListedItem } from "./listOrder";

interface Props {
  /** The item that is asked about; null: the window is closed. */
  item: ListedItem | null;
  request: ListRequest;
  close: () => void;
}

/** Why an item is in one of two lists, where there is no room for it beside the other one. */
export function WhyWindow({ item, request, close }: Props) {
  useCloseOnMove(close);
  const title = item
    ? t.recommendations.card.whyHeading(format.count(item.rank), item.title ?? item.item_id)
    : "";
  return (
    <Window open={item !== null} onClose={close} title={title} lead={sourceName(request.model)} wide>
      {item && <FullExplanation request={request} itemId={item.item_id} />}
    </Window>
  );
}
