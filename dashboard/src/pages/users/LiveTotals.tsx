import type { Schema } from "@/api/client";
import { Card } from "@/components/Card";
import { Meter } from "@/components/Meter";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { actionText } from "./actions";

/** Events that the store has of the user, by their types. */
export function LiveTotals({ profile: { totals, store } }: { profile: Schema<"ProfileResponse"> }) {
  if (!totals)
    return (
      <Card title={t.user.totals.title}>
        <p className="text-sm text-muted">
          {store === "live" ? t.user.totals.none : t.user.totals.stores[store]}
        </p>
      </Card>
    );
  const types = Object.entries(totals.by_type).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, ...types.map(([, count]) => count));
  return (
    <Card title={t.user.totals.title}>
      <ul className="space-y-3">
        {types.map(([type, count]) => (
          <li key={type}>
            <Meter label={actionText(type)} share={count / most} text={format.count(count)} />
          </li>
        ))}
      </ul>
      <dl className="mt-4 grid grid-cols-2 gap-3 text-sm">
        <div>
          <dt className="text-xs text-muted">{t.user.totals.purchased}</dt>
          <dd className="font-medium">{format.decimal(totals.purchased)}</dd>
        </div>
        <div>
          <dt className="text-xs text-muted">{t.user.totals.spent}</dt>
          <dd className="font-medium">
            <Price value={totals.spent} />
          </dd>
        </div>
      </dl>
    </Card>
  );
}
