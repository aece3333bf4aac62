import { useCallback } from "react";

import type { Schema } from "@/api/client";
import { Busy } from "@/components/Busy";
import { Button } from "@/components/Button";
import { EmptyState } from "@/components/EmptyState";
import { PageHeading } from "@/components/PageHeading";
import { Pager } from "@/components/Pager";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { useAnnouncement } from "@/components/useAnnouncement";
import { cursorSteps, FIRST_PAGE, pageNumber } from "@/lib/cursorPages";
import { format } from "@/lib/format";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { ItemFilters } from "./ItemFilters";
import { ItemTable } from "./ItemTable";
import { useSearch } from "./queries";
import { DEFAULTS, filtersSet, listName, NO_FILTERS, ROWS, searchOf, serverSort, tableSort } from "./search";

export default function ItemsPage() {
  const [state, change] = useUrlState(DEFAULTS);
  const found = useSearch(searchOf(state));
  const narrow = useCallback(
    (some: Partial<typeof NO_FILTERS>, options?: { replace?: boolean }) => {
      change({ ...some, ...FIRST_PAGE }, options);
    },
    [change],
  );
  const text = found.data ? rowsText(found.data, pageNumber(state)) : "";
  useAnnouncement(found.isPlaceholderData ? "" : text);
  return (
    <>
      <PageHeading title={t.items.title} lead={t.items.lead} />
      <ItemFilters state={state} narrow={narrow} />
      <QueryView query={found} skeleton={<SkeletonLines lines={14} />}>
        {(data) => (
          <Busy busy={found.isPlaceholderData}>
            {data.items.length === 0 ? (
              <Nothing
                filtered={filtersSet(state)}
                filled={data.catalogue_version !== null}
                onClear={() => {
                  narrow(NO_FILTERS);
                }}
              />
            ) : (
              <>
                <ItemTable
                  rows={data.items}
                  sort={tableSort(state.sort)}
                  onSort={(sort) => {
                    change({ sort: serverSort(sort), ...FIRST_PAGE });
                  }}
                />
                <Pager text={text} {...cursorSteps(listName(state), state, data.next_cursor, change)} />
              </>
            )}
          </Busy>
        )}
      </QueryView>
    </>
  );
}

function rowsText({ items, total, total_exact }: Schema<"SearchResponse">, page: number): string {
  if (items.length === 0) return t.items.none;
  const first = (page - 1) * ROWS;
  const all = total_exact ? format.count(total) : t.items.atLeast(format.count(total));
  return t.items.rows(format.count(first + 1), format.count(first + items.length), all, total);
}

interface NothingProps {
  filtered: boolean;
  /** The store has the items of a bundle already. */
  filled: boolean;
  onClear: () => void;
}

function Nothing({ filtered, filled, onClear }: NothingProps) {
  if (!filtered) return <EmptyState title={t.items.none}>{filled ? null : t.items.notYet}</EmptyState>;
  return (
    <EmptyState title={t.items.none}>
      <p className="mb-3">{t.items.noneHint}</p>
      <Button onClick={onClear}>{t.narrow.clear}</Button>
    </EmptyState>
  );
}
