import type { Schema } from "@/api/client";
import { useReady } from "@/api/queries";
import { Badge } from "@/components/Badge";
import { Card } from "@/components/Card";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { durationText } from "./duration";
import { Facts } from "./Facts";

const words = t.system.health;

/** Whether all of it works: store, rules, live items, workers. */
export function HealthCard({ stats }: { stats: Schema<"StatsResponse"> }) {
  const ready = useReady();
  return (
    <Card title={words.title}>
      <Facts
        facts={[
          [words.store, <State state={stats.store} />],
          ...storeFacts(stats.store_statistics),
          ...readiness(ready.data),
          [words.workers, <Workers stats={stats} />],
          [words.uptime, durationText(stats.uptime_s)],
        ]}
      />
    </Card>
  );
}

const TONES: Record<string, "good" | "bad" | "warn" | "plain"> = {
  live: "good",
  stale: "warn",
  unread: "bad",
  unavailable: "bad",
};

function State({ state }: { state: string }) {
  const names: Record<string, string> = words.states;
  return <Badge tone={TONES[state] ?? "plain"}>{names[state] ?? state}</Badge>;
}

function readiness(ready: Schema<"ReadyResponse"> | undefined): [string, React.ReactNode][] {
  if (!ready) return [];
  return [
    [words.rules, <State state={ready.rules} />],
    [words.liveItems, <State state={ready.live_items} />],
    [words.persons, <State state={ready.persons} />],
  ];
}

function storeFacts(store: Schema<"StoreStatistics"> | null): [string, string][] {
  if (!store) return [];
  return [
    [words.events, format.count(store.events)],
    [words.storeUsers, format.count(store.users)],
    [words.storeItems, format.count(store.items)],
    [words.lastEvent, store.last_event_at ? format.time(store.last_event_at) : words.noEvent],
  ];
}

function Workers({ stats: { workers, serving } }: { stats: Schema<"StatsResponse"> }) {
  const alive = serving.reduce((sum, row) => sum + row.workers, 0);
  return (
    <>
      {words.alive(format.count(alive), format.count(workers))}
      {serving.length > 1 && (
        <ul className="text-xs text-muted">
          {serving.map((row) => (
            <li key={row.version}>{words.from(format.count(row.workers), row.version)}</li>
          ))}
        </ul>
      )}
    </>
  );
}
