import { format } from "@/lib/format";
import { t } from "@/strings/en";

import type { Explanation } from "../queries";
import { Part } from "./Part";
import { Title } from "./Title";

/** The user's own actions without which the item would leave the list, and what would come instead. */
export function Counterfactual({ answer }: { answer: Explanation }) {
  const { counterfactual } = answer;
  if (!counterfactual) return null;
  const { without, rank, replacement } = counterfactual;
  const words = t.why.counterfactual;
  return (
    <Part title={words.title}>
      {without.length === 0 ? (
        <p className="text-sm">{words.none}</p>
      ) : (
        <div className="space-y-2 text-sm">
          <p>{words.lead}</p>
          <ul className="list-disc space-y-1 pl-5">
            {without.map((item) => (
              <li key={item.item_id}>
                <Title item={item} />
              </li>
            ))}
          </ul>
          <p className="font-medium">{rank === null ? words.gone : words.rank(format.count(rank))}</p>
          {replacement && (
            <p>
              {words.replacement} <Title item={replacement} />.
            </p>
          )}
        </div>
      )}
    </Part>
  );
}
