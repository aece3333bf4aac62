import type { Schema } from "@/api/client";
import { Badge } from "@/components/Badge";
import { Card } from "@/components/Card";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { isSoldOut, standingOf, type Standing } from "./liveState";

type Item = Schema<"ItemResponse">;

const TONES: Record<Standing, "plain" | "accent" | "good" | "warn" | "bad"> = {
  asBundle: "plain",
  changed: "accent",
  new: "good",
  waiting: "warn",
  deleted: "bad",
};

/** In a word how the item stands, for the head of its page. */
export function StandingBadges({ item }: { item: Item }) {
  const standing = standingOf(item.live);
  return (
    <>
      {standing !== "asBundle" && <Badge tone={TONES[standing]}>{t.itemPage.live.standings[standing]}</Badge>}
      {isSoldOut(item) && <Badge tone="bad">{t.itemPage.live.soldOut}</Badge>}
    </>
  );
}

/** What the shop has said since the bundle was made: how it stands, since when, and by whom. */
export function LiveStateCard({ item }: { item: Item }) {
  const { live } = item;
  if (!live)
    return (
      <Card title={t.itemPage.live.title}>
        <p className="text-sm text-muted">{t.itemPage.live.nothing}</p>
      </Card>
    );
  const facts = [
    { label: t.itemPage.live.since, value: live.since && format.time(live.since) },
    { label: t.itemPage.live.updated, value: live.updated_at && format.time(live.updated_at) },
    { label: t.itemPage.live.by, value: live.updated_by },
    {
      label: t.itemPage.live.available,
      value: live.available === null ? null : live.available ? t.attributes.yes : t.attributes.no,
    },
    { label: t.itemPage.live.stock, value: live.stock === null ? null : format.decimal(live.stock) },
    { label: t.itemPage.live.fields, value: live.fields.join(", ") },
    { label: t.itemPage.live.version, value: format.count(live.version) },
  ];
  return (
    <Card title={t.itemPage.live.title}>
      <p className="mb-2 flex flex-wrap gap-2">
        <StandingBadges item={item} />
      </p>
      <p className="mb-3 text-sm text-muted">{t.itemPage.live.meanings[live.state]}</p>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
        {facts.map(
          ({ label, value }) =>
            value && (
              <div key={label} className="contents">
                <dt className="text-muted">{label}</dt>
                <dd className="break-words">{value}</dd>
              </div>
            ),
        )}
      </dl>
    </Card>
  );
}
