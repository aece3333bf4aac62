import type { Schema } from "@/api/client";
import { useUiSettings } from "@/api/uiSettings";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { whenText } from "./history";

/** What is known of a user, in a line of numbers. */
export function UserFacts({ profile }: { profile: Schema<"ProfileResponse"> }) {
  const { currency } = useUiSettings();
  const { interactions, history, totals, spending } = profile;
  const last = history[0]?.at;
  const facts = [
    { label: t.user.facts.items, value: format.count(interactions) },
    { label: t.user.facts.events, value: format.count(totals?.events ?? 0) },
    { label: t.user.facts.last, value: last ? whenText(last) : t.user.facts.unknown },
    {
      label: t.user.facts.meanPrice,
      value:
        spending.mean_price === null ? t.user.facts.unknown : format.money(spending.mean_price, currency),
    },
  ];
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line md:grid-cols-4">
      {facts.map(({ label, value }) => (
        <div key={label} className="bg-surface px-4 py-3">
          <dt className="text-xs text-muted">{label}</dt>
          <dd className="mt-0.5 font-semibold">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
