import { Radio, Sparkles } from "lucide-react";
import { Link } from "wouter";

import type { Schema } from "@/api/client";
import { Button, buttonLook } from "@/components/Button";
import { CopyId } from "@/components/CopyId";
import { EmptyState } from "@/components/EmptyState";
import { pathOf } from "@/components/Links";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { Skeleton, Loading } from "@/components/Skeleton";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { Favourites } from "./Favourites";
import { LivePanel } from "./live/LivePanel";
import { LiveTotals } from "./LiveTotals";
import { useProfile } from "./queries";
import { SpendingCard } from "./SpendingCard";
import { Timeline } from "./Timeline";
import { rowKey, type HistoryRow } from "./history";
import { useArrivals } from "./useArrivals";
import { UserAttributes } from "./UserAttributes";
import { UserFacts } from "./UserFacts";

const DEFAULTS = { id: "", rows: "20", live: "" };
/** How much of a history is shown; the server shows no more than the last of them. */
const LENGTHS = [20, 50, 100];
const NO_ROWS: HistoryRow[] = [];

export default function UserPage() {
  const [{ id }] = useUrlState(DEFAULTS);
  if (!id)
    return (
      <>
        <PageHeading title={t.user.title} />
        <EmptyState title={t.user.nobody}>
          <Link href="/users" className="text-accent underline">
            {t.user.toUsers}
          </Link>
        </EmptyState>
      </>
    );
  return <User key={id} id={id} />;
}

function User({ id }: { id: string }) {
  const [state, change] = useUrlState(DEFAULTS);
  const length = LENGTHS.find((rows) => String(rows) === state.rows) ?? 20;
  const live = state.live !== "";
  const profile = useProfile(id, length, live);
  const unknown = profile.data === null;
  const arrived = useArrivals(unknown ? NO_ROWS : profile.data?.history, live);
  const longer = LENGTHS.find((rows) => rows > length);
  return (
    <>
      <PageHeading title={t.user.titleOf(id)}>
        <div className="flex flex-wrap items-center gap-2">
          <CopyId id={id} />
          <Button
            aria-expanded={live}
            onClick={() => {
              change({ live: live ? "" : "1" }, { replace: true });
            }}
          >
            <Radio aria-hidden="true" className="size-4" />
            {live ? t.user.live.close : t.user.live.open}
          </Button>
          <Link href={pathOf.recommendations(id)} className={buttonLook("primary")}>
            <Sparkles aria-hidden="true" className="size-4" />
            {t.user.seeList}
          </Link>
        </div>
      </PageHeading>
      {live && profile.data !== undefined && (
        <div className="mb-6">
          <LivePanel
            userId={id}
            events={profile.data?.totals?.events ?? 0}
            store={profile.data?.store ?? "live"}
            arrived={arrived}
          />
        </div>
      )}
      <QueryView query={profile} skeleton={<ProfileSkeleton />}>
        {(data) =>
          data === null ? (
            <EmptyState title={t.user.unknown(id)}>{t.user.unknownHint}</EmptyState>
          ) : (
            <Profile
              profile={data}
              arrived={new Set(arrived.map(rowKey))}
              onMore={
                longer && data.history.length < data.interactions
                  ? () => {
                      change({ rows: String(longer) }, { replace: true });
                    }
                  : null
              }
              busy={profile.isPlaceholderData}
            />
          )
        }
      </QueryView>
    </>
  );
}

interface ProfileProps {
  profile: Schema<"ProfileResponse">;
  arrived: ReadonlySet<string>;
  onMore: (() => void) | null;
  busy: boolean;
}

function Profile({ profile, arrived, onMore, busy }: ProfileProps) {
  return (
    <div className="space-y-6">
      <UserFacts profile={profile} />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="order-2 min-w-0 xl:order-1">
          <Timeline
            rows={profile.history}
            total={profile.interactions}
            arrived={arrived}
            onMore={onMore}
            busy={busy}
          />
        </div>
        <div className="order-1 grid min-w-0 gap-6 md:grid-cols-2 xl:order-2 xl:grid-cols-1">
          <SpendingCard spending={profile.spending} />
          <Favourites title={t.user.favourites.brands} kind="brand" favourites={profile.favourite_brands} />
          <Favourites
            title={t.user.favourites.categories}
            kind="category"
            favourites={profile.favourite_categories}
          />
          <LiveTotals profile={profile} />
          <UserAttributes userId={profile.user_id} />
        </div>
      </div>
    </div>
  );
}

function ProfileSkeleton() {
  return (
    <Loading>
      <Skeleton className="mb-6 h-20 rounded-xl" />
      <div className="grid gap-6 xl:grid-cols-[3fr_2fr]">
        <Skeleton className="h-96 rounded-xl" />
        <Skeleton className="h-96 rounded-xl" />
      </div>
    </Loading>
  );
}
