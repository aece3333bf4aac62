import type { Schema } from "@/api/client";
import { Card } from "@/components/Card";
import { CopyId } from "@/components/CopyId";
import { EmptyState } from "@/components/EmptyState";
import { Failure } from "@/components/Failure";
import { SkeletonLines } from "@/components/Skeleton";
import { SimilarItems } from "@/explanations/SimilarWindow";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { useDeletion } from "./queries";

/** An item that the catalogue does not hold: deleted, or never heard of. */
export function MissingItem({ id, error }: { id: string; error: Error }) {
  const { data: deletion, isPending } = useDeletion(id);
  if (isPending) return <SkeletonLines />;
  return deletion ? <Deleted row={deletion} /> : <Failure error={error} />;
}

/** Whoever follows an old link finds what is similar. */
function Deleted({ row }: { row: Schema<"LiveItemRow"> }) {
  return (
    <div className="space-y-6">
      <EmptyState title={t.itemPage.deleted}>
        <p>{row.updated_at && t.itemPage.deletedAt(format.time(row.updated_at), row.updated_by)}</p>
        <CopyId id={row.item_id} />
      </EmptyState>
      <Card title={t.itemPage.similar}>
        <SimilarItems item={{ id: row.item_id, title: row.item_id }} />
      </Card>
    </div>
  );
}
