import type { Schema } from "@/api/client";
import { useUiSettings } from "@/api/uiSettings";
import { Card } from "@/components/Card";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { placeOf, SEGMENTS } from "./spending";

/** The user's mean price among the quarters of all users. */
export function SpendingCard({ spending }: { spending: Schema<"SpendingResponse"> }) {
  const { currency } = useUiSettings();
  const money = (value: number) => format.money(value, currency);
  const { mean_price: mean, segment, quartiles } = spending;
  const place = placeOf(spending);
  if (mean === null || segment === null || place === null)
    return (
      <Card title={t.user.spending.title}>
        <p className="text-sm text-muted">
          {mean === null ? t.user.spending.noPrice : t.user.spending.noBounds(money(mean))}
        </p>
      </Card>
    );
  return (
    <Card title={t.user.spending.title}>
      <p className="text-sm">{t.user.spending.text(money(mean), t.user.spending.segments[segment])}</p>
      <p className="sr-only">{t.user.spending.bounds(quartiles.map(money))}</p>
      <div aria-hidden="true" className="mt-5 text-xs">
        <div className="relative h-8">
          <div
            className="absolute bottom-0 flex -translate-x-1/2 flex-col items-center font-semibold"
            style={{ left: `${Math.min(0.93, Math.max(0.07, place)) * 100}%` }}
          >
            {money(mean)}
          </div>
        </div>
        <div className="relative grid grid-cols-4 gap-0.5">
          {SEGMENTS.map((name) => (
            <div key={name} className={`h-3 rounded-sm ${name === segment ? "bg-accent" : "bg-sunken"}`} />
          ))}
          <div
            className="absolute -top-1 h-5 w-1 -translate-x-1/2 rounded-full border border-surface bg-ink"
            style={{ left: `${place * 100}%` }}
          />
        </div>
        <div className="relative mt-1.5 h-4 text-muted">
          {quartiles.map((bound, index) => (
            <span
              key={index}
              className="absolute -translate-x-1/2"
              style={{ left: `${((index + 1) / SEGMENTS.length) * 100}%` }}
            >
              {money(bound)}
            </span>
          ))}
        </div>
        <div className="mt-1 grid grid-cols-4 gap-0.5 text-center">
          {SEGMENTS.map((name) => (
            <span key={name} className={name === segment ? "font-semibold" : "text-muted"}>
              {t.user.spending.segments[name]}
            </span>
          ))}
        </div>
      </div>
    </Card>
  );
}
