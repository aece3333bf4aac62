import { ArrowDown, ArrowUp } from "lucide-react";

import { Badge } from "@/components/Badge";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { sideBySide, type Compared, type PreviewItem } from "./lists";

const words = t.rules.preview;

/** Two lists side by side, each row with what becomes of it. */
export function ComparedLists({
  title,
  before,
  after,
}: {
  title: string;
  before: PreviewItem[];
  after: PreviewItem[];
}) {
  const rows = sideBySide(before, after);
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <List title={title} rows={rows.before} />
      <List title={words.after} rows={rows.after} withMoves />
    </div>
  );
}

function List({ title, rows, withMoves = false }: { title: string; rows: Compared[]; withMoves?: boolean }) {
  return (
    <section className="min-w-0">
      <h3 className="mb-2 text-sm font-semibold">{title}</h3>
      {rows.length === 0 && <p className="text-sm text-muted">{words.empty}</p>}
      <ol className="space-y-1">
        {rows.map((row) => (
          <Row key={row.item.item_id} row={row} withMoves={withMoves} />
        ))}
      </ol>
    </section>
  );
}

const TINT = { same: "", moved: "", out: "bg-bad-soft", new: "bg-good-soft" };

function Row({ row, withMoves }: { row: Compared; withMoves: boolean }) {
  const { item, fate } = row;
  const rules = item.rules ?? [];
  return (
    <li className={`flex items-start gap-2 rounded-md px-2 py-1.5 text-sm ${TINT[fate]}`}>
      <span className="w-5 shrink-0 text-right text-muted">{item.rank}</span>
      <span className="min-w-0 flex-1">
        <span className={`line-clamp-2 ${fate === "out" ? "line-through" : ""}`}>
          {item.title ?? item.item_id}
        </span>
        <span className="block text-xs text-muted">
          {[item.brand, item.popular ? words.popular : ""].filter(Boolean).join(" · ")}{" "}
          <Price value={item.price} />
        </span>
        {withMoves && rules.length > 0 && (
          <span className="block text-xs text-muted">{words.rules(rules.join(", "))}</span>
        )}
      </span>
      <Fate row={row} withMoves={withMoves} />
    </li>
  );
}

function Fate({ row: { fate, by }, withMoves }: { row: Compared; withMoves: boolean }) {
  if (fate === "out") return <Badge tone="bad">{words.fates.out}</Badge>;
  if (fate === "new") return <Badge tone="good">{words.fates.new}</Badge>;
  if (fate === "same" || !withMoves) return null;
  const Arrow = by > 0 ? ArrowUp : ArrowDown;
  const ranks = format.count(Math.abs(by));
  return (
    <Badge>
      <Arrow aria-hidden="true" className="size-3" />
      {by > 0 ? words.up(ranks) : words.down(ranks)}
    </Badge>
  );
}
