import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { groupLabel } from "../labels";
import type { Explanation } from "../queries";
import { Part } from "./Part";
import { Title } from "./Title";

/** Whose scores an item borrows that nobody has chosen yet. */
export function Borrowed({ answer }: { answer: Explanation }) {
  if (answer.borrowed.length === 0) return null;
  return (
    <Part title={t.why.borrowed.title} lead={t.why.borrowed.lead}>
      <dl className="space-y-2 text-sm">
        {answer.borrowed.map(({ source, lenders }) => (
          <div key={source}>
            <dt className="font-medium">{groupLabel(source)}</dt>
            {lenders.map((lender) => (
              <dd key={lender.item_id} className="flex justify-between gap-4">
                <Title item={lender} />
                <span>{format.signed(lender.score, 3)}</span>
              </dd>
            ))}
          </div>
        ))}
      </dl>
    </Part>
  );
}
