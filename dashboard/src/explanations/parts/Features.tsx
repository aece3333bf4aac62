import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { featureLabel } from "../labels";
import type { Explanation } from "../queries";
import { Named } from "./Named";

/** What the ranker read of the item, for who wants to know it to the last number. */
export function Features({ answer }: { answer: Explanation }) {
  const features = Object.entries(answer.features);
  if (features.length === 0) return null;
  const words = t.why.features;
  return (
    <details className="border-t border-line pt-5">
      <summary className="min-h-6 font-semibold">
        {words.title} <span className="text-sm font-normal text-muted">({features.length})</span>
      </summary>
      <p className="mt-1 text-sm text-muted">{words.lead}</p>
      <table className="mt-3 w-full max-w-2xl text-sm">
        <thead className="text-left text-xs text-muted">
          <tr>
            <th scope="col" className="py-1 font-medium">
              {words.name}
            </th>
            <th scope="col" className="py-1 text-right font-medium">
              {words.value}
            </th>
          </tr>
        </thead>
        <tbody>
          {features.map(([name, value]) => (
            <tr key={name} className="border-t border-line">
              <th scope="row" className="py-1 pr-4 text-left font-normal">
                <Named label={featureLabel(name)} name={name} />
              </th>
              <td className="py-1 text-right">{value === null ? words.none : format.decimal(value, 4)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
