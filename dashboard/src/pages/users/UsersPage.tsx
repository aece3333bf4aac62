import type { ColumnDef } from "@tanstack/react-table";
import { useCallback } from "react";
import { Link } from "wouter";

import type { Schema } from "@/api/client";
import { Busy } from "@/components/Busy";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { pathOf, UserLink } from "@/components/Links";
import { Notice } from "@/components/Notice";
import { PageHeading } from "@/components/PageHeading";
import { Pager } from "@/components/Pager";
import { QueryView } from "@/components/QueryView";
import { SearchField } from "@/components/SearchField";
import { SkeletonLines } from "@/components/Skeleton";
import { useAnnouncement } from "@/components/useAnnouncement";
import { cursorSteps, FIRST_PAGE, pageNumber } from "@/lib/cursorPages";
import { format } from "@/lib/format";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { ROWS, useUsers } from "./queries";

type Row = Schema<"UserRow">;

const DEFAULTS = { query: "", ...FIRST_PAGE };

export default function UsersPage() {
  const [state, change] = useUrlState(DEFAULTS);
  const users = useUsers(state.query.trim(), state.cursor);
  useAnnouncement(
    users.data && !users.isPlaceholderData ? rowsText(pageNumber(state), users.data.users.length) : "",
  );
  const search = useCallback(
    (query: string) => {
      change({ query, ...FIRST_PAGE }, { replace: true });
    },
    [change],
  );
  return (
    <>
      <PageHeading title={t.users.title} lead={t.users.lead} />
      <div className="mb-4 max-w-md">
        <SearchField
          label={t.users.search}
          placeholder={t.users.searchHint}
          value={state.query}
          onSearch={search}
        />
      </div>
      <QueryView query={users} skeleton={<SkeletonLines lines={12} />}>
        {({ users: rows, next_cursor, store }) => (
          <Busy busy={users.isPlaceholderData}>
            {store === "unavailable" && (
              <div className="mb-4">
                <Notice tone="warn">{t.users.bundleOnly}</Notice>
              </div>
            )}
            {rows.length === 0 ? (
              <EmptyState title={state.query ? t.users.none(state.query) : t.users.noneAtAll}>
                {state.query ? t.users.noneHint : t.users.noneAtAllHint}
              </EmptyState>
            ) : (
              <>
                <DataTable
                  caption={t.users.title}
                  columns={COLUMNS}
                  rows={rows}
                  rowId={({ user_id }) => user_id}
                />
                <Pager
                  text={rowsText(pageNumber(state), rows.length)}
                  {...cursorSteps(`users ${state.query}`, state, next_cursor, change)}
                />
              </>
            )}
          </Busy>
        )}
      </QueryView>
    </>
  );
}

function rowsText(page: number, rows: number): string {
  if (rows === 0) return t.users.noneFound;
  const first = (page - 1) * ROWS;
  return t.users.rows(format.count(first + 1), format.count(first + rows));
}

const COLUMNS: ColumnDef<Row>[] = [
  {
    id: "user",
    header: t.users.columns.user,
    cell: ({ row }) => (
      <UserLink
        id={row.original.user_id}
        className="inline-block min-w-36 font-medium break-all text-accent underline"
      />
    ),
  },
  {
    id: "interactions",
    header: t.users.columns.interactions,
    cell: ({ row }) => format.count(row.original.interactions),
  },
  {
    id: "live",
    header: t.users.columns.live,
    cell: ({ row }) => format.count(row.original.live_events),
  },
  {
    id: "last",
    header: t.users.columns.last,
    cell: ({ row: { original } }) => (
      <span className="whitespace-nowrap">
        {original.last_event_at ? format.time(original.last_event_at) : t.users.never}
      </span>
    ),
  },
  {
    id: "list",
    header: t.users.columns.list,
    cell: ({ row: { original } }) => (
      <Link
        href={pathOf.recommendations(original.user_id)}
        className="whitespace-nowrap text-accent underline underline-offset-2"
      >
        {t.users.showList}
        <span className="sr-only"> {t.users.of(original.user_id)}</span>
      </Link>
    ),
  },
];
