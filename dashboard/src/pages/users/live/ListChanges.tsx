import { ArrowDown, ArrowUp } from "lucide-react";

import type { Schema } from "@/api/client";
import { Badge } from "@/components/Badge";
import { EmptyState } from "@/components/EmptyState";
import { ItemLink } from "@/components/Links";
import type { Comparison, Moved } from "@/lib/compareLists";
import { t } from "@/strings/en";

type Item = Schema<"RecommendedItem">;

/** The first of the user's list, and what is another than before. */
export function ListChanges({ rows, gone }: Comparison<Item>) {
  if (rows.length === 0) return <EmptyState title={t.user.live.emptyList} />;
  return (
    <>
      <ol className="divide-y divide-line">
        {rows.map((moved) => (
          <li
            key={moved.row.item_id}
            data-change={moved.change}
            className="flex items-start gap-3 py-2 text-sm"
          >
            <span className="w-6 shrink-0 text-right text-muted">{moved.rank}</span>
            <ItemLink id={moved.row.item_id} className="line-clamp-2 min-w-0 flex-1">
              {moved.row.title ?? moved.row.item_id}
            </ItemLink>
            <span className="shrink-0">
              <ChangeBadge {...moved} />
            </span>
          </li>
        ))}
      </ol>
      {gone.length > 0 && (
        <div className="mt-3 text-sm">
          <h4 className="font-medium">{t.user.live.gone}</h4>
          <ul className="mt-1 list-disc space-y-1 pl-5 text-muted">
            {gone.map(({ item_id, title }) => (
              <li key={item_id}>
                <ItemLink id={item_id}>{title ?? item_id}</ItemLink>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function ChangeBadge({ change, rank, rankBefore }: Moved<Item>) {
  if (change === "new") return <Badge tone="good">{t.user.live.new}</Badge>;
  if (change === "same" || rankBefore === null) return null;
  const Icon = change === "up" ? ArrowUp : ArrowDown;
  return (
    <Badge tone={change === "up" ? "accent" : "warn"}>
      <Icon aria-hidden="true" className="size-3" />
      <span className="sr-only">{t.user.live[change]} </span>
      {Math.abs(rank - rankBefore)}
    </Badge>
  );
}
