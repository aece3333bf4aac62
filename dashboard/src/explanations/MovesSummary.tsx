import type { Schema } from "@/api/client";
import { ItemLink } from "@/components/Links";
import { t } from "@/strings/en";

import { movesOf } from "./moves";
import { MoveBadge } from "./RankMove";
import { RuleLinks } from "./RuleLinks";

/** What the shop's rules did to a list, in a line, and each move on demand; nothing where no rule is in force. */
export function MovesSummary({ items }: { items: readonly Schema<"RecommendedItem">[] }) {
  if (!items.some(({ rank_before: before }) => before !== undefined)) return null;
  const { rules, moved } = movesOf(items);
  if (moved.length === 0) return <p className="text-sm text-muted">{t.why.moves.none}</p>;
  return (
    <details className="text-sm" data-part="moves">
      <summary className="min-h-6 font-medium">{t.why.moves.summary(rules.length, moved.length)}</summary>
      <ul aria-label={t.why.moves.details} className="mt-2 space-y-2">
        {moved.map(({ item, move }) => (
          <li key={item.item_id} className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <span className="text-muted">{t.why.rank(move.now)}</span>
            <ItemLink id={item.item_id}>{item.title ?? t.item.noTitle}</ItemLink>
            <MoveBadge move={move} />
            <span className="text-xs text-muted">
              {t.why.move.by} <RuleLinks ids={move.rules} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
