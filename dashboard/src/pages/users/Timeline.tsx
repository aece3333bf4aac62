import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { ItemImage } from "@/components/ItemImage";
import { ItemLink } from "@/components/Links";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { actionText } from "./actions";
import { starsOf } from "./stars";
import { byMonth, rowKey, whenText, type HistoryRow } from "./history";

interface Props {
  rows: HistoryRow[];
  /** Items of the whole history. */
  total: number;
  /** Rows that came while they were watched. */
  arrived: ReadonlySet<string>;
  /** Shows more of it; null where there is no more, or no more may be asked for. */
  onMore: (() => void) | null;
  busy: boolean;
}

/** What the user had to do with, the latest first. */
export function Timeline({ rows, total, arrived, onMore, busy }: Props) {
  if (rows.length === 0)
    return (
      <Card title={t.user.history.title}>
        <EmptyState title={t.user.history.none}>{t.user.history.noneHint}</EmptyState>
      </Card>
    );
  return (
    <Card
      title={t.user.history.title}
      action={
        <p className="text-xs text-muted">
          {t.user.history.shown(format.count(rows.length), format.count(total))}
        </p>
      }
    >
      <div className="space-y-6" aria-busy={busy}>
        {byMonth(rows).map(({ label, rows: inMonth }, index) => (
          <section key={`${label} ${index}`}>
            <h3 className="mb-2 text-sm font-semibold text-muted">{label || t.user.history.noDate}</h3>
            <ol className="space-y-1 border-l-2 border-line pl-3">
              {inMonth.map((row) => (
                <Row key={rowKey(row)} row={row} isNew={arrived.has(rowKey(row))} />
              ))}
            </ol>
          </section>
        ))}
      </div>
      {onMore && (
        <Button className="mt-4" onClick={onMore} disabled={busy}>
          {t.user.history.more}
        </Button>
      )}
    </Card>
  );
}

function Row({ row, isNew }: { row: HistoryRow; isNew: boolean }) {
  return (
    <li
      data-new={isNew || undefined}
      className={`flex gap-3 rounded-lg p-2 transition-colors duration-1000 ${isNew ? "bg-good-soft" : ""}`}
    >
      <ItemImage image={row.image} categories={row.categories} className="size-11 shrink-0 rounded-md" />
      <div className="min-w-0 flex-1">
        <p className="text-sm">
          <ItemLink id={row.item_id} className="font-medium break-words">
            {row.title ?? row.item_id}
          </ItemLink>
          {row.brand && <span className="text-muted"> · {row.brand}</span>}
        </p>
        <p className="mt-0.5 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs">
          {isNew && <Badge tone="good">{t.user.history.new}</Badge>}
          {row.action && row.action !== "rating" && <Badge>{actionText(row.action)}</Badge>}
          {row.rating !== null && <Rating value={row.rating} />}
          <span>
            <Price value={row.price} />
          </span>
          {row.at && (
            <time dateTime={row.at} className={isNew ? undefined : "text-muted"}>
              {whenText(row.at)}
            </time>
          )}
        </p>
      </div>
    </li>
  );
}

function Rating({ value }: { value: number }) {
  const stars = starsOf(value);
  return (
    <span>
      {stars && (
        <span aria-hidden="true" className="mr-1 tracking-tight">
          {stars}
        </span>
      )}
      <span className="sr-only">{t.user.history.rated} </span>
      {format.decimal(value, 1)}
    </span>
  );
}
