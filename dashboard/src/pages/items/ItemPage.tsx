import { Link } from "wouter";

import { ApiError, type Schema } from "@/api/client";
import { AttributeList } from "@/components/AttributeList";
import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { Loading, Skeleton } from "@/components/Skeleton";
import { Blurb } from "@/explanations/Blurb";
import { SimilarItems } from "@/explanations/SimilarWindow";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { ItemHead } from "./ItemHead";
import { LiveStateCard } from "./LiveStateCard";
import { standingOf } from "./liveState";
import { MissingItem } from "./MissingItem";
import { PopularityChart } from "./PopularityChart";
import { useItem } from "./queries";

const DEFAULTS = { id: "" };

export default function ItemPage() {
  const [{ id }] = useUrlState(DEFAULTS);
  if (!id)
    return (
      <>
        <PageHeading title={t.itemPage.title} />
        <EmptyState title={t.itemPage.nothing}>
          <Link href="/items" className="text-accent underline">
            {t.itemPage.toItems}
          </Link>
        </EmptyState>
      </>
    );
  return <Item key={id} id={id} />;
}

function Item({ id }: { id: string }) {
  const item = useItem(id);
  return (
    <>
      <PageHeading title={item.data?.title ?? t.itemPage.titleOf(id)} />
      {item.error instanceof ApiError && item.error.status === 404 ? (
        <MissingItem id={id} error={item.error} />
      ) : (
        <QueryView query={item} skeleton={<ItemSkeleton />}>
          {(data) => <Details item={data} />}
        </QueryView>
      )}
    </>
  );
}

function Details({ item }: { item: Schema<"ItemResponse"> }) {
  const named = { id: item.item_id, title: item.title ?? item.item_id };
  return (
    <div className="space-y-6">
      <ItemHead item={item} />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <PopularityChart itemId={item.item_id} />
        <div className="min-w-0 space-y-6">
          <Card title={t.itemPage.blurb}>
            <Blurb itemId={item.item_id} />
          </Card>
          <LiveStateCard item={item} />
          <Card title={t.itemPage.attributes}>
            {Object.keys(item.attributes).length > 0 ? (
              <AttributeList attributes={item.attributes} />
            ) : (
              <p className="text-sm text-muted">{t.itemPage.noAttributes}</p>
            )}
          </Card>
        </div>
      </div>
      <Card title={t.itemPage.similar}>
        {standingOf(item.live) === "waiting" ? (
          <p className="text-sm text-muted">{t.itemPage.similarLater}</p>
        ) : (
          <SimilarItems item={named} />
        )}
      </Card>
    </div>
  );
}

function ItemSkeleton() {
  return (
    <Loading>
      <Skeleton className="mb-6 h-56 rounded-xl" />
      <div className="grid gap-6 xl:grid-cols-[3fr_2fr]">
        <Skeleton className="h-72 rounded-xl" />
        <Skeleton className="h-72 rounded-xl" />
      </div>
    </Loading>
  );
}
