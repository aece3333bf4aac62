import { RefreshCw, UserRound, UserRoundPlus } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";

import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { CopyId } from "@/components/CopyId";
import { UserLink } from "@/components/Links";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import type { List } from "./queries";

const text = t.recommendations.made;

interface Props {
  list: List;
  asOf: string;
  busy: boolean;
  refresh: () => void;
}

/** Whose list it is, and what it was made from, when, and how fast. */
export function MadeFrom({ list, asOf, busy, refresh }: Props) {
  const { user_id: id, user } = list;
  const Icon = id === null ? UserRoundPlus : UserRound;
  return (
    <section
      aria-label={text.title}
      className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 rounded-xl border border-line bg-surface px-4 py-3"
    >
      <div className="flex min-w-0 items-center gap-3">
        <span
          aria-hidden="true"
          className="flex size-10 shrink-0 items-center justify-center rounded-full bg-accent-soft"
        >
          <Icon className="size-5" />
        </span>
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-x-1">
            <span className="min-w-0 truncate font-semibold">{id ?? text.visitor}</span>
            {id !== null && (
              <>
                <CopyId id={id} />
                <UserLink id={id} className="px-2 py-1 text-xs font-medium text-accent">
                  {text.profile}
                </UserLink>
              </>
            )}
            {!user.known && id !== null && <Badge tone="warn">{text.unknown}</Badge>}
          </div>
          <p className="text-xs text-muted">{facts(list, asOf).join(" · ")}</p>
          <Trials list={list} />
        </div>
      </div>
      <Refresh busy={busy} refresh={refresh}>
        {busy
          ? t.recommendations.list.updating
          : text.at(format.time(list.generated_at), format.ms(list.timing.total_ms))}
      </Refresh>
    </section>
  );
}

/** Which experiments the list is of, and that chance put it in order. */
function Trials({ list: { experiments = [], order } }: { list: List }) {
  if (experiments.length === 0 && order === undefined) return null;
  return (
    <ul aria-label={text.experiments} className="mt-1.5 flex flex-wrap gap-1.5">
      {experiments.map(({ experiment, variant, delivered }) => (
        <li key={experiment} className="min-w-0">
          <Link href={`/experiments?experiment=${encodeURIComponent(experiment)}`} className="rounded-md">
            <Badge tone={delivered ? "accent" : "warn"}>
              <span className="wrap-anywhere underline underline-offset-2">
                {(delivered ? text.variant : text.undelivered)(experiment, variant ?? text.teams)}
              </span>
            </Badge>
          </Link>
        </li>
      ))}
      {order === "drawn" && (
        <li>
          <Badge>{text.drawn}</Badge>
        </li>
      )}
    </ul>
  );
}

function facts({ user_id, user, store }: List, asOf: string): string[] {
  const { interactions, last_interaction_at: last, live_events: live } = user;
  return [
    interactions > 0 ? text.history(interactions, format.count(interactions)) : text.noHistory,
    ...(last && user_id !== null ? [text.last(format.day(last))] : []),
    ...(live > 0 ? [t.recommendations.who.liveEvents(live, format.count(live))] : []),
    ...(user_id !== null ? [text.store[store]] : []),
    ...(asOf ? [text.asOf(format.time(asOf))] : []),
  ];
}

function Refresh({ busy, refresh, children }: { busy: boolean; refresh: () => void; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span className="text-xs text-muted">{children}</span>
      <Button size="small" onClick={refresh} disabled={busy}>
        <RefreshCw aria-hidden="true" className={`size-3.5 ${busy ? "animate-spin" : ""}`} />
        {t.actions.refresh}
      </Button>
    </div>
  );
}
