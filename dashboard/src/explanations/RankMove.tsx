import { ArrowDown, ArrowUp, Pin } from "lucide-react";

import type { Schema } from "@/api/client";
import { Badge } from "@/components/Badge";
import { t } from "@/strings/en";

import { moveOf, type Move } from "./moves";
import { RuleLinks } from "./RuleLinks";

type Moved = Pick<Schema<"RecommendedItem">, "rank" | "rank_before" | "rules">;

/** How the shop's rules moved an item in its list; nothing where they did not. */
export function RankMove({ item }: { item: Moved }) {
  const move = moveOf(item);
  if (!move) return null;
  return (
    <p className="flex flex-wrap items-center gap-x-1.5 gap-y-1 text-xs" data-part="rank-move">
      <MoveBadge move={move} />
      <span className="min-w-0 text-muted">
        {move.rules.length > 0 ? (
          <>
            {t.why.move.by} <RuleLinks ids={move.rules} />
          </>
        ) : (
          t.why.move.room
        )}
      </span>
    </p>
  );
}

/** The move alone, with words for who cannot see the arrow. */
export function MoveBadge({ move }: { move: Move }) {
  const { places, before, now } = move;
  const Icon = places > 0 ? ArrowUp : places < 0 ? ArrowDown : Pin;
  const text = places > 0 ? t.why.move.up(places) : places < 0 ? t.why.move.down(-places) : t.why.move.stays;
  return (
    <Badge tone={places > 0 ? "good" : places < 0 ? "warn" : "plain"}>
      <Icon aria-hidden="true" className="size-3" />
      {text}
      {places !== 0 && <span className="sr-only"> {t.why.move.from(before, now)}</span>}
    </Badge>
  );
}
