import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import type { ListRequest } from "@/lib/listRequest";

import { ExplanationView } from "./ExplanationView";
import { useExplanation } from "./queries";

/** Everything that the server knows of why an item is in a list, or is not. */
export function FullExplanation({ request, itemId }: { request: ListRequest; itemId: string }) {
  const query = useExplanation(request, itemId);
  return (
    <QueryView query={query} skeleton={<SkeletonLines lines={10} />}>
      {(answer) => <ExplanationView answer={answer} />}
    </QueryView>
  );
}
