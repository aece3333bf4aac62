import { PlainTable } from "@/components/PlainTable";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { differenceText, intervalText, metricText, signedShare } from "./numbers";
import type { Verdict } from "./queries";

const words = t.experiments;

interface Props {
  variant: Verdict["variants"][number];
  primary: string;
}

/** All metrics of a variant beside the control's, of all days until now. */
export function MetricsTable({ variant, primary }: Props) {
  const look = variant.looks.at(-1);
  if (!look) return <p className="text-sm text-muted">{words.noDays}</p>;
  return (
    <>
      <PlainTable
        caption={words.metricsOf(variant.variant)}
        columns={words.columns}
        rows={look.metrics.map((one) => {
          const value = (number: number) => metricText(one.metric, number);
          const signed = (number: number) => differenceText(one.metric, number);
          return [
            `${words.metrics[one.metric] ?? one.metric}${one.metric === primary ? ` (${words.primary})` : ""}`,
            one.control_mean === null ? "–" : value(one.control_mean),
            one.mean === null ? "–" : value(one.mean),
            one.difference === null ? "–" : signed(one.difference),
            intervalText(one.interval, signed),
            one.relative === null ? "–" : signedShare(one.relative),
            intervalText(one.fixed, signed),
            one.variance_saved === null ? "–" : format.percent(one.variance_saved),
          ];
        })}
      />
      <p className="text-xs text-muted">{words.columnsHint}</p>
      {look.guardrails.length > 0 && (
        <PlainTable
          caption={words.guardrailsOf(variant.variant)}
          columns={words.guardColumns}
          rows={look.guardrails.map((one) => [
            words.metrics[one.metric] ?? one.metric,
            words.guardStates[one.state],
            one.worse_by === null ? "–" : signedShare(one.worse_by),
            intervalText(one.interval, signedShare),
            format.percent(one.most),
          ])}
        />
      )}
    </>
  );
}
