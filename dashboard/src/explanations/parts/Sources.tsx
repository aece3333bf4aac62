import type { ReactNode } from "react";

import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { groupLabel } from "../labels";
import type { Explanation } from "../queries";
import { byPart } from "../sorting";
import { Named } from "./Named";
import { Part } from "./Part";

type Opinion = Explanation["sources"][number];

/** What each source says of the item, and what of that goes into the sum that chooses the finalists. */
export function Sources({ answer }: { answer: Explanation }) {
  if (answer.sources.length === 0) return null;
  const words = t.why.sources;
  const unweighted = answer.sources.some(({ weight }) => weight === 0);
  return (
    <Part title={words.title} lead={unweighted ? `${words.lead} ${words.unweighted}` : words.lead}>
      <ul className="grid gap-3 sm:grid-cols-2">
        {byPart(answer.sources).map((opinion) => (
          <li key={opinion.source} className="rounded-lg border border-line p-3 text-sm">
            <p className="font-medium">
              <Named label={groupLabel(opinion.source)} name={opinion.source} />
            </p>
            <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 text-xs">
              <Entry name={words.part}>{productText(opinion)}</Entry>
              <Entry name={words.rank}>
                {opinion.rank === null ? words.unranked : format.count(opinion.rank)}
              </Entry>
              <Entry name={words.proposed}>{proposedText(opinion)}</Entry>
            </dl>
          </li>
        ))}
      </ul>
    </Part>
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

function productText({ score, weight }: Opinion): string {
  return t.why.sources.product(
    format.significant(score, 4),
    format.significant(weight, 4),
    format.significant(score * weight, 4, "exceptZero"),
  );
}

function proposedText({ proposed, proposes }: Opinion): string {
  if (proposed) return t.why.sources.yes(proposes);
  return proposes === 0 ? t.why.sources.scoresOnly : t.why.sources.no(proposes);
}
