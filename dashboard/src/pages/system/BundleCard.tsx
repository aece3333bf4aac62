import { RefreshCw } from "lucide-react";

import { ApiError, type Schema } from "@/api/client";
import { announce } from "@/components/Announcer";
import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { Facts } from "./Facts";
import { useReload } from "./queries";

const words = t.system.bundle;

/** What answers, how much is in it, and how another version is taken. */
export function BundleCard({ stats }: { stats: Schema<"StatsResponse"> }) {
  const { bundle, items, users, interactions } = stats;
  const reload = useReload();
  return (
    <Card
      title={words.title}
      action={
        <Button
          disabled={reload.isPending}
          onClick={() => {
            reload.mutate(undefined, {
              onSuccess: () => {
                announce(words.reloaded);
              },
            });
          }}
        >
          <RefreshCw aria-hidden="true" className={`size-4 ${reload.isPending ? "animate-spin" : ""}`} />
          {reload.isPending ? words.reloading : words.reload}
        </Button>
      }
    >
      <Facts
        facts={[
          [
            words.name,
            <>
              {bundle.name} {bundle.synthetic && <Badge tone="accent">{t.app.synthetic}</Badge>}
            </>,
          ],
          [words.version, <span className="font-mono text-xs wrap-anywhere">{bundle.version}</span>],
          [words.items, format.count(items)],
          [words.users, format.count(users)],
          [words.interactions, format.count(interactions)],
        ]}
      />
      <ReloadOutcome reload={reload} />
    </Card>
  );
}

function ReloadOutcome({ reload: { data, error } }: { reload: ReturnType<typeof useReload> }) {
  if (error instanceof ApiError && error.status === 409)
    return (
      <div className="mt-4">
        <Notice tone="bad">
          {words.refused} {error.detail}
        </Notice>
      </div>
    );
  if (error)
    return (
      <div className="mt-4">
        <Failure error={error} />
      </div>
    );
  if (!data) return null;
  const same = data.before?.version === data.bundle.version;
  return (
    <div className="mt-4">
      <Notice>
        {same
          ? words.same(data.bundle.version)
          : words.fromTo(data.before?.version ?? "–", data.bundle.version)}{" "}
        {data.keys === "stale" && words.keysStale}
      </Notice>
    </div>
  );
}
