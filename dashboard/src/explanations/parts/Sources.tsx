import type { ReactNode } from "react";

import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { groupLabel } from "../labels";
import type { Explanation } from "../queries";
import { byPart, type Score } from "../sorting";
import { Named } from "./Named";
import { Part } from "./Part";

/** What each source says of the item, and what of that goes into the sum that chooses the finalists. */
export function Sources({ answer }: { answer: Explanation }) {
  if (answer.sources.length === 0) return null;
  const words = t.why.sources;
  const { scores, silent } = byPart(answer.sources);
  const lead = scores.some(({ weight }) => weight === 0) ? `${words.lead} ${words.unweighted}` : words.lead;
  return (
    <Part title={words.title} lead={scores.length > 0 && lead}>
      {scores.length > 0 && (
        <ul className="mb-3 grid gap-3 @xl:grid-cols-2">
          {scores.map((score) => (
            <SourceScore key={score.source} score={score} />
          ))}
        </ul>
      )}
      {silent.length > 0 && (
        <p className="text-sm text-muted">{words.silent(silent.map(groupLabel).join(", "))}</p>
      )}
    </Part>
  );
}

function SourceScore({ score }: { score: Score }) {
  const words = t.why.sources;
  return (
    <li className="rounded-lg border border-line p-3 text-sm">
      <p className="font-medium">
        <Named label={groupLabel(score.source)} name={score.source} />
      </p>
      <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 text-xs">
        <Entry name={words.part}>{productText(score)}</Entry>
        <Entry name={words.rank}>{format.count(score.rank)}</Entry>
        <Entry name={words.proposed}>{proposedText(score)}</Entry>
      </dl>
    </li>
  );
}

function Entry({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="text-right font-medium">{children}</dd>
    </>
  );
}

function productText({ score, weight }: Score): string {
  return t.why.sources.product(
    format.significant(score, 4),
    format.significant(weight, 4),
    format.significant(score * weight, 4, "exceptZero"),
  );
}

function proposedText({ proposed, proposes }: Score): string {
  if (proposed) return t.why.sources.yes(proposes);
  return proposes === 0 ? t.why.sources.scoresOnly : t.why.sources.no(proposes);
}
