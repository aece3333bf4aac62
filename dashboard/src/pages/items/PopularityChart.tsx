import type { Schema } from "@/api/client";
import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { QueryView } from "@/components/QueryView";
import { Loading, Skeleton } from "@/components/Skeleton";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { columnsOf, peakOf, periodText, topOf } from "./chart";
import { usePopularity } from "./queries";

type Shown = Pick<Schema<"PopularityResponse">, "period" | "counts">;

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

function Chart({ period, counts }: Shown) {
  const name = (start: string | undefined) => (start ? periodText(start, period) : "");
  const [first, last] = [name(counts[0]?.start), name(counts.at(-1)?.start)];
  const top = topOf(Math.max(...counts.map(({ interactions }) => interactions)));
  const peak = peakOf(counts);
  const summary = t.itemPage.overTime.summary(
    t.itemPage.overTime.periods[period],
    first,
    last,
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
        <Columns period={period} counts={counts} top={top} summary={summary} />
        <span />
        <div aria-hidden="true" className="mt-1 flex justify-between gap-2 text-xs text-muted">
          <span>{first}</span>
          {counts.length > 1 && <span className="text-right">{last}</span>}
        </div>
      </div>
      <figcaption className="mt-2 text-sm text-muted">{summary}</figcaption>
      <details className="mt-2 text-sm">
        <summary className="w-fit rounded-sm py-1 text-accent">{t.itemPage.overTime.table}</summary>
        <Numbers period={period} counts={counts} />
      </details>
    </figure>
  );
}

/** The columns, up to the top of the axis. */
function Columns({ period, counts, top, summary }: Shown & { top: number; summary: string }) {
  const columns = columnsOf(
    counts.map(({ interactions }) => interactions),
    top,
  );
  return (
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
          <title>{`${periodText(start, period)}: ${format.count(interactions)}`}</title>
        </rect>
      ))}
    </svg>
  );
}

function Numbers({ period, counts }: Shown) {
  return (
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
              {periodText(start, period)}
            </th>
            <td className="py-1 text-right">{format.count(interactions)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ChartSkeleton() {
  return (
    <Loading>
      <Skeleton className="h-48 rounded-lg" />
    </Loading>
  );
}
