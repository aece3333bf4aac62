import { ItemLink } from "@/components/Links";
import type { ListRequest } from "@/lib/listRequest";

import { FullExplanation } from "../FullExplanation";
import { useExplanation } from "../queries";
import { isListed } from "../stages";
import { PartLevel } from "./Part";
import { Stage } from "./Stage";

interface Props {
  request: ListRequest;
  itemId: string;
  title: string;
}

/** How far an item came, and what keeps it out of the list. */
export function WhyNot({ request, itemId, title }: Props) {
  const { data } = useExplanation(request, itemId);
  return (
    <div className="@container space-y-4">
      <h3 className="text-base font-semibold">
        <ItemLink id={itemId}>{data?.item.title ?? title}</ItemLink>
      </h3>
      {data && isListed(data.stage) && <Stage answer={data} />}
      <PartLevel value={4}>
        <FullExplanation request={request} itemId={itemId} />
      </PartLevel>
    </div>
  );
}
