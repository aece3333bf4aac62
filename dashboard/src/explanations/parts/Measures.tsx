import { Meter } from "@/components/Meter";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import type { Explanation } from "../queries";

/** The numbers of an item at a glance. */
export function Measures({ answer }: { answer: Explanation }) {
  const { rank, rank_before: before, score, confidence, semantic_similarity: similarity } = answer;
  const { source_sum: sum, gate, sum_rank: sumRank } = answer;
  const names = t.why.measures;
  return (
    <div className="space-y-3">
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        <Measure name={names.rank} text={rank === null ? names.none : format.count(rank)} />
        {before !== undefined && before !== rank && (
          <Measure name={names.rankBefore} text={format.count(before)} />
        )}
        <Measure name={names.score} text={score === null ? names.none : format.decimal(score, 3)} />
        {sum !== null && <Measure name={names.sourceSum} text={format.decimal(sum, 3)} />}
        {sumRank !== null && <Measure name={names.sumRank} text={format.count(sumRank)} />}
        {gate !== null && <Measure name={names.gate} text={format.decimal(gate, 3)} />}
      </dl>
      <div className="grid max-w-2xl gap-x-8 gap-y-3 @xl:grid-cols-2">
        {confidence !== null && (
          <Meter label={names.confidence} share={confidence} text={format.percent(confidence)} />
        )}
        {similarity !== null && (
          <Meter label={names.similarity} share={similarity} text={format.decimal(similarity)} />
        )}
      </div>
    </div>
  );
}

function Measure({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="font-medium">{text}</dd>
    </div>
  );
}
