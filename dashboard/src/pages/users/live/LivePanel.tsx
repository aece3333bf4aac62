import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import type { Schema } from "@/api/client";
import { announce } from "@/components/Announcer";
import { Card } from "@/components/Card";
import { Notice } from "@/components/Notice";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { format } from "@/lib/format";
import { compareLists, countChanges, type Comparison } from "@/lib/compareLists";
import { t } from "@/strings/en";

import { useLiveList } from "../queries";
import { actionText } from "../actions";
import type { HistoryRow } from "../history";
import { EventForm } from "./EventForm";
import { ListChanges } from "./ListChanges";

type Item = Schema<"RecommendedItem">;

interface Props {
  userId: string;
  /** Events that the store has of the user: with another number the list is asked for anew. */
  events: number;
  store: Schema<"ProfileResponse">["store"];
  arrived: HistoryRow[];
}

/** The list just before an event was sent. */
interface Before {
  items: Item[];
  /** Milliseconds since 1970. */
  at: number;
}

/** Events arrive, and the list follows. */
export function LivePanel({ userId, events, store, arrived }: Props) {
  const queries = useQueryClient();
  const list = useLiveList(userId, events);
  const [before, setBefore] = useState<Before | null>(null);
  const items = list.data?.items ?? [];
  const compared = compareLists(before?.items ?? items, items, ({ item_id }) => item_id);
  const read = before !== null && list.dataUpdatedAt > before.at && !list.isFetching;
  const changes = read ? changesText(compared) : "";
  const latest = arrived[0];
  const news = latest ? t.user.live.arrived(doneText(latest), latest.title ?? latest.item_id) : "";
  useEffect(() => {
    const text = [news, changes].filter(Boolean).join(" ");
    if (text) announce(text);
  }, [news, changes]);
  return (
    <Card title={t.user.live.title}>
      {store !== "live" && (
        <div className="mb-4">
          <Notice tone="warn">{t.user.live.stores[store]}</Notice>
        </div>
      )}
      <div className="grid gap-6 xl:grid-cols-2">
        <div className="min-w-0">
          <p className="mb-4 text-sm text-muted">{t.user.live.lead}</p>
          <EventForm
            userId={userId}
            onSending={() => {
              setBefore({ items, at: Date.now() });
            }}
            onSent={() => {
              void queries.invalidateQueries({ queryKey: ["profile", userId] });
              void queries.invalidateQueries({ queryKey: ["live-list", userId] });
            }}
          />
          {news && <p className="mt-4 rounded-lg bg-good-soft px-3 py-2 text-sm text-good">{news}</p>}
        </div>
        <section className="min-w-0">
          <h3 className="text-sm font-semibold">{t.user.live.list}</h3>
          <p className="mb-2 text-xs text-muted">
            {before ? `${t.user.live.since(format.clock(before.at))} ${changes}` : t.user.live.untilNow}
          </p>
          <QueryView query={list} skeleton={<SkeletonLines lines={10} />}>
            {() => <ListChanges {...compared} />}
          </QueryView>
        </section>
      </div>
    </Card>
  );
}

function changesText(compared: Comparison<Item>): string {
  const { added, moved, gone } = countChanges(compared);
  return added + moved + gone === 0 ? t.user.live.unchanged : t.user.live.changes(added, moved, gone);
}

function doneText({ action }: HistoryRow): string {
  return action ? actionText(action) : t.user.live.something;
}
