import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { groupLabel } from "../labels";
import type { Explanation } from "../queries";
import { waterfallOf } from "../waterfall";
import { WaterfallBars } from "./WaterfallBars";
import { WaterfallTable } from "./WaterfallTable";
import { shown } from "./waterfallNumbers";

/** From the score of what the item is compared with to its own, part by part. */
export function WaterfallChart({ answer }: { answer: Explanation }) {
  const chart = waterfallOf(answer);
  if (!chart) return null;
  const of = t.why.chart.of[answer.contributions_of ?? "score"];
  const compared = answer.reference?.title ?? answer.reference?.item_id;
  const startLabel = compared === undefined ? t.why.chart.startAlone : t.why.chart.startOf(compared);
  const { startUnits, endUnits } = chart;
  return (
    <figure>
      <p className="mb-3 max-w-prose text-sm text-muted">
        {compared === undefined ? t.why.chart.leadAlone(of) : t.why.chart.lead(of, compared)}
      </p>
      <WaterfallBars chart={chart} startLabel={startLabel} />
      <WaterfallTable chart={chart} startLabel={startLabel} />
      <figcaption className="mt-3 space-y-1 text-xs text-muted">
        <p className="text-sm font-medium text-ink">
          {t.why.chart.sum(
            shown(startUnits, chart),
            endUnits < startUnits ? "−" : "+",
            shown(Math.abs(endUnits - startUnits), chart),
            shown(endUnits, chart),
          )}
        </p>
        <p>{t.why.chart.legend}</p>
        <p>{t.why.chart.adds(format.decimal(answer.additivity_error ?? 0, 9))}</p>
        {answer.contributions_exact === false && <p>{t.why.chart.approximate}</p>}
        {ruled(answer) && <p>{t.why.chart.rules}</p>}
        {chart.same.length > 0 && <p>{t.why.chart.same(chart.same.map(groupLabel).join(", "))}</p>}
      </figcaption>
    </figure>
  );
}

function ruled({ moved_by: moved = [], kept_out_by: keptOut = [] }: Explanation): boolean {
  return moved.length + keptOut.length > 0;
}
