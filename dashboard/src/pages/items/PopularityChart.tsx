import type { Schema } from "@/api/client";
import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { QueryView } from "@/components/QueryView";
import { Loading, Skeleton } from "@/components/Skeleton";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { columnsOf, peakOf, periodText, topOf } from "./chart";
import { usePopularity } from "./queries";

/** How often people had to do with the item, over time. */
export function PopularityChart({ itemId }: { itemId: string }) {
  const popularity = usePopularity(itemId);
  return (
    <Card title={t.itemPage.overTime.title}>
      <QueryView query={popularity} skeleton={<ChartSkeleton />}>
        {(data) =>
          data.counts.some(({ interactions }) => interactions > 0) ? (
            <Chart {...data} />
          ) : (
            <EmptyState title={t.itemPage.overTime.none}>{t.itemPage.overTime.noneHint}</EmptyState>
          )
        }
      </QueryView>
    </Card>
  );
}

function Chart({ period, counts }: Schema<"PopularityResponse">) {
  const top = topOf(Math.max(...counts.map(({ interactions }) => interactions)));
  const columns = columnsOf(
    counts.map(({ interactions }) => interactions),
    top,
  );
  const first = counts[0];
  const last = counts.at(-1);
  const peak = peakOf(counts);
  const name = (start: string | undefined) => (start ? periodText(start, period) : "");
  const summary = t.itemPage.overTime.summary(
    t.itemPage.overTime.periods[period],
    name(first?.start),
    name(last?.start),
    format.count(peak?.interactions ?? 0),
    name(peak?.start),
  );
  return (
    <figure>
      <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-2">
        <div
          aria-hidden="true"
          className="flex flex-col justify-between text-right text-xs leading-none text-muted"
        >
          <span>{format.count(top)}</span>
          <span>0</span>
        </div>
        <svg
          role="img"
          aria-label={summary}
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          className="h-40 w-full border-b border-l border-line-strong"
        >
          {[0, 50].map((y) => (
            <line
              key={y}
              x1="0"
              x2="100"
              y1={y}
              y2={y}
              className="stroke-line"
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {counts.map(({ start, interactions }, index) => (
            <rect key={start} {...columns[index]} className="fill-accent">
              <title>{`${name(start)}: ${format.count(interactions)}`}</title>
            </rect>
          ))}
        </svg>
        <span />
        <div aria-hidden="true" className="mt-1 flex justify-between gap-2 text-xs text-muted">
          <span>{name(first?.start)}</span>
          {counts.length > 1 && <span className="text-right">{name(last?.start)}</span>}
        </div>
      </div>
      <figcaption className="mt-2 text-sm text-muted">{summary}</figcaption>
      <details className="mt-2 text-sm">
        <summary className="w-fit rounded-sm py-1 text-accent">{t.itemPage.overTime.table}</summary>
        <table className="mt-2 w-full max-w-sm">
          <thead>
            <tr className="border-b border-line text-left text-xs text-muted">
              <th scope="col" className="py-1 font-medium">
                {t.itemPage.overTime.period}
              </th>
              <th scope="col" className="py-1 text-right font-medium">
                {t.itemPage.overTime.interactions}
              </th>
            </tr>
          </thead>
          <tbody>
            {counts.map(({ start, interactions }) => (
              <tr key={start} className="border-b border-line last:border-0">
                <th scope="row" className="py-1 text-left font-normal">
                  {name(start)}
                </th>
                <td className="py-1 text-right">{format.count(interactions)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

function ChartSkeleton() {
  return (
    <Loading>
      <Skeleton className="h-48 rounded-lg" />
    </Loading>
  );
}
