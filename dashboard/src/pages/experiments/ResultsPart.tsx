import { Badge } from "@/components/Badge";
import { Card } from "@/components/Card";
import { Notice } from "@/components/Notice";
import { QueryView } from "@/components/QueryView";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { IntervalsChart } from "./IntervalsChart";
import { MetricsTable } from "./MetricsTable";
import { useResults, type ExperimentRow, type Reason, type Results, type Verdict } from "./queries";
import { reasonText } from "./reasons";

const words = t.experiments;
export const STATE_TONES = {
  better: "good",
  no_worse: "accent",
  undecided: "plain",
  too_early: "plain",
  worse: "bad",
  blocked: "warn",
} as const;

/** What came of an experiment so far: the verdict, then all that it rests on. */
export function ResultsPart({ row, primary }: { row: ExperimentRow; primary: string }) {
  const results = useResults(row);
  return (
    <QueryView query={results}>
      {(data) =>
        data.verdict ? (
          <div className="space-y-6">
            <VerdictCard verdict={data.verdict} results={data} />
            {data.verdict.variants.map((variant) => (
              <Card key={variant.variant} title={words.against(variant.variant)}>
                <div className="space-y-5">
                  <IntervalsChart variant={variant} metric={primary} />
                  <MetricsTable variant={variant} primary={primary} />
                </div>
              </Card>
            ))}
          </div>
        ) : (
          <Notice>{words.draftHint}</Notice>
        )
      }
    </QueryView>
  );
}

function VerdictCard({ verdict, results }: { verdict: Verdict; results: Results }) {
  return (
    <Card
      title={words.verdict}
      action={<Badge tone={STATE_TONES[verdict.state]}>{words.states[verdict.state]}</Badge>}
    >
      <div className="space-y-4 text-sm">
        <p>{words.statesLead[verdict.state](verdict.winner ?? "")}</p>
        <Reasons reasons={verdict.reasons} />
        {verdict.variants.map(({ variant, state, reasons }) => (
          <div key={variant}>
            <h3 className="mb-1 flex flex-wrap items-center gap-2 font-medium">
              <span className="wrap-anywhere">{variant}</span>
              <Badge tone={STATE_TONES[state]}>{words.states[state]}</Badge>
            </h3>
            <Reasons reasons={reasons} />
          </div>
        ))}
        <dl className="flex flex-wrap gap-x-6 gap-y-1 text-muted">
          {Object.entries(verdict.users).map(([variant, users]) => (
            <div key={variant} className="flex gap-1.5">
              <dt className="wrap-anywhere">{words.usersOf(variant)}</dt>
              <dd className="font-medium text-ink">{format.count(users)}</dd>
            </div>
          ))}
          {verdict.split_p !== null && (
            <div className="flex gap-1.5">
              <dt>{words.split}</dt>
              <dd className="font-medium text-ink">p {format.significant(verdict.split_p, 2)}</dd>
            </div>
          )}
        </dl>
        <Footing results={results} excluded={verdict.excluded} />
      </div>
    </Card>
  );
}

function Reasons({ reasons }: { reasons: readonly Reason[] }) {
  if (reasons.length === 0) return null;
  return (
    <ul className="list-disc space-y-1 pl-5">
      {reasons.map((reason, place) => (
        <li key={place} className={reason.blocks ? "text-warn" : "text-muted"}>
          {reasonText(reason)}
        </li>
      ))}
    </ul>
  );
}

/** What the verdict was made from, and when. */
function Footing({ results: { observed, as_of }, excluded }: { results: Results; excluded: number }) {
  return (
    <p className="text-xs text-muted">
      {words.asOf(format.time(as_of))} {observed && words.lists(format.count(observed.lists))}{" "}
      {excluded > 0 && words.excluded(format.count(excluded))}{" "}
      {observed && observed.left_out > 0 && words.leftOut(format.count(observed.left_out))}{" "}
      {observed && !observed.reaches_back && words.cutOff}
    </p>
  );
}
