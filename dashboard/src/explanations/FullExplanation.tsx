import { useEffect, type ReactNode } from "react";

import { announce } from "@/components/Announcer";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { ExplanationView } from "./ExplanationView";
import { useExplanation } from "./queries";

interface Props {
  request: ListRequest;
  itemId: string;
  /** What is known at once, until the explanation is there. */
  meanwhile?: ReactNode;
}

/** Everything that the server knows of why an item is in a list, or is not. */
export function FullExplanation({ request, itemId, meanwhile }: Props) {
  const query = useExplanation(request, itemId);
  const title = query.data && (query.data.item.title ?? itemId);
  useEffect(() => {
    if (title !== undefined) announce(t.why.shown(title));
  }, [title]);
  return (
    <div className="space-y-4">
      {!query.data && meanwhile}
      <QueryView query={query} skeleton={<SkeletonLines lines={10} />}>
        {(answer) => <ExplanationView answer={answer} request={request} />}
      </QueryView>
    </div>
  );
}
