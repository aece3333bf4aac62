import { ItemLink } from "@/components/Links";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { ExplanationView } from "../ExplanationView";
import { useExplanation } from "../queries";
import { isListed } from "../stages";

/** How far an item came, and what keeps it out of the list. */
export function WhyNot({ request, itemId }: { request: ListRequest; itemId: string }) {
  const query = useExplanation(request, itemId);
  return (
    <QueryView query={query} skeleton={<SkeletonLines lines={10} />}>
      {(answer) => (
        <div className="space-y-4">
          <h3 className="text-base font-semibold">
            <ItemLink id={answer.item.item_id}>{answer.item.title ?? t.item.noTitle}</ItemLink>
          </h3>
          {isListed(answer.stage) && answer.rank !== null && (
            <p className="font-medium">{t.why.whyNot.inList(answer.rank)}</p>
          )}
          <ExplanationView answer={answer} />
        </div>
      )}
    </QueryView>
  );
}
