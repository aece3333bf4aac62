import { useCallback } from "react";

import type { Schema } from "@/api/client";
import { Busy } from "@/components/Busy";
import { EmptyState } from "@/components/EmptyState";
import { Notice } from "@/components/Notice";
import { PageHeading } from "@/components/PageHeading";
import { Pager } from "@/components/Pager";
import { QueryView } from "@/components/QueryView";
import { SkeletonCards } from "@/components/Skeleton";
import { useAnnouncement } from "@/components/useAnnouncement";
import { RuleLinks } from "@/explanations/RuleLinks";
import { format } from "@/lib/format";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { askedOf, DEFAULTS, pagesAround, type Asked, type State } from "./asked";
import { PopularCards } from "./PopularCards";
import { PopularFilters } from "./PopularFilters";
import { usePopular } from "./queries";

export default function PopularPage() {
  const [state, change] = useUrlState(DEFAULTS);
  const asked = askedOf(state);
  const popular = usePopular(asked);
  const narrow = useCallback(
    (some: Partial<State>, options?: { replace?: boolean }) => {
      change({ ...some, page: "1" }, options);
    },
    [change],
  );
  useAnnouncement(popular.data && !popular.isPlaceholderData ? rowsText(popular.data) : "");
  return (
    <>
      <PageHeading title={t.popular.title} lead={t.popular.lead} />
      <PopularFilters state={state} narrow={narrow} />
      <QueryView query={popular} skeleton={<SkeletonCards cards={12} />}>
        {(list) => (
          <Busy busy={popular.isPlaceholderData}>
            <Page
              list={list}
              asked={asked}
              goTo={(page) => {
                change({ page: String(page) });
                window.scrollTo(0, 0);
              }}
            />
          </Busy>
        )}
      </QueryView>
    </>
  );
}

interface PageProps {
  list: Schema<"PopularResponse">;
  asked: Asked;
  goTo: (page: number) => void;
}

function Page({ list, asked, goTo }: PageProps) {
  const { before, after } = pagesAround(asked, list.items.length);
  const ended = list.items.length === asked.k && after === null;
  return (
    <>
      {list.shortened_by && (
        <div className="mb-4">
          <Notice>
            {t.popular.shortened(list.shortened_by.reason)} <RuleLinks ids={list.shortened_by.rules} />
          </Notice>
        </div>
      )}
      {list.items.length === 0 ? (
        <EmptyState title={t.popular.none}>{before ? t.popular.endedHint : t.popular.noneHint}</EmptyState>
      ) : (
        <PopularCards items={list.items} />
      )}
      {ended && (
        <p className="mt-4 text-sm text-muted">{t.popular.most(format.count(asked.offset + asked.k))}</p>
      )}
      <Pager
        text={rowsText(list)}
        onPrevious={
          before === null
            ? null
            : () => {
                goTo(before);
              }
        }
        onNext={
          after === null
            ? null
            : () => {
                goTo(after);
              }
        }
      />
    </>
  );
}

function rowsText({ items }: Schema<"PopularResponse">): string {
  const first = items[0];
  const last = items.at(-1);
  return first && last ? t.popular.rows(format.count(first.rank), format.count(last.rank)) : t.popular.none;
}
