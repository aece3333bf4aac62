import { Meter } from "@/components/Meter";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { actionLabel, groupLabel } from "../labels";
import type { Explanation } from "../queries";
import { FirstFew } from "./FirstFew";
import { Part } from "./Part";
import { Title } from "./Title";

type Share = Explanation["history"][number];

/** Items of the history, what they give to the scores, and what becomes of the item without each of them. */
export function HistoryBehind({ answer }: { answer: Explanation }) {
  const { history, rank } = answer;
  const most = Math.max(...history.map(({ total }) => Math.abs(total)), Number.MIN_VALUE);
  return (
    <Part title={t.why.history.title} lead={history.length > 0 && t.why.history.lead}>
      {history.length === 0 && <p className="text-sm text-muted">{t.why.history.empty}</p>}
      <FirstFew items={history} first={5}>
        {(shown) => (
          <ol className="divide-y divide-line">
            {shown.map((share) => (
              <Row key={share.item_id} share={share} rank={rank} most={most} />
            ))}
          </ol>
        )}
      </FirstFew>
    </Part>
  );
}

function Row({ share, rank, most }: { share: Share; rank: number | null; most: number }) {
  return (
    <li className="grid gap-x-6 gap-y-1 py-2.5 @xl:grid-cols-[minmax(0,1fr)_14rem]">
      <div className="min-w-0 text-sm">
        <Title item={share} />
        <p className="mt-0.5 text-xs text-muted">
          {actionLabel(share.action)}
          {share.times > 1 && ` · ${t.why.history.times(share.times)}`}
          {" · "}
          <span className="font-medium text-ink">{withoutText(share, rank)}</span>
        </p>
        <Sources share={share} />
      </div>
      <Meter
        label={t.why.history.share}
        share={Math.abs(share.total) / most}
        text={format.significant(share.total, 3, "exceptZero")}
      />
    </li>
  );
}

function Sources({ share }: { share: Share }) {
  const shares = Object.entries(share.shares).sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  if (shares.length === 0) return null;
  return (
    <details className="mt-1 text-xs">
      <summary className="w-fit py-1 text-muted">{t.why.history.details}</summary>
      <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-1">
        {shares.map(([source, value]) => (
          <li key={source}>
            <span className="text-muted">{groupLabel(source)}</span>{" "}
            {format.significant(value, 3, "exceptZero")}
          </li>
        ))}
      </ul>
    </details>
  );
}

function withoutText(share: Share, rank: number | null): string {
  if (!share.tried) return t.why.history.untried;
  if (share.rank_without === null) return rank === null ? t.why.history.neither : t.why.history.gone;
  const now = rank === null ? t.why.measures.none : format.count(rank);
  if (share.rank_without === rank) return t.why.history.same(now);
  return t.why.history.without(now, format.count(share.rank_without));
}
