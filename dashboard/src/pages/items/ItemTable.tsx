import type { ColumnDef } from "@tanstack/react-table";
import { Link } from "wouter";

import type { Schema } from "@/api/client";
import { DataTable, type Sort } from "@/components/DataTable";
import { ItemImage } from "@/components/ItemImage";
import { ItemLink, pathOf } from "@/components/Links";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

type Row = Schema<"FoundItem">;

interface Props {
  rows: Row[];
  sort: Sort;
  onSort: (sort: Sort) => void;
}

/** Items that were found. */
export function ItemTable({ rows, sort, onSort }: Props) {
  return (
    <DataTable
      caption={t.items.title}
      columns={COLUMNS}
      rows={rows}
      rowId={({ item_id }) => item_id}
      sort={sort}
      onSort={onSort}
    />
  );
}

const COLUMNS: ColumnDef<Row>[] = [
  {
    id: "title",
    header: t.items.columns.title,
    enableSorting: true,
    cell: ({ row: { original } }) => (
      <div className="flex min-w-52 items-center gap-3">
        <ItemImage
          image={original.image}
          categories={original.categories}
          className="size-10 shrink-0 rounded-md"
        />
        <div className="min-w-0">
          <ItemLink id={original.item_id} className="line-clamp-2 font-medium text-accent underline">
            {original.title ?? t.item.noTitle}
          </ItemLink>
          <div className="text-xs break-all text-muted">{original.item_id}</div>
        </div>
      </div>
    ),
  },
  {
    id: "brand",
    header: t.items.columns.brand,
    cell: ({ row: { original } }) =>
      original.brand ? (
        <FilterLink filters={{ brand: original.brand }}>{original.brand}</FilterLink>
      ) : (
        <span className="text-muted">{t.item.noBrand}</span>
      ),
  },
  {
    id: "category",
    header: t.items.columns.category,
    cell: ({ row: { original } }) => {
      const category = original.categories.at(-1);
      return category === undefined ? (
        <span className="text-muted">{t.items.noCategory}</span>
      ) : (
        <FilterLink filters={{ category }}>{category}</FilterLink>
      );
    },
  },
  {
    id: "price",
    header: t.items.columns.price,
    enableSorting: true,
    cell: ({ row: { original } }) => (
      <span className="whitespace-nowrap">
        <Price value={original.price} />
      </span>
    ),
  },
  {
    id: "popularity",
    header: t.items.columns.popularity,
    enableSorting: true,
    cell: ({ row: { original } }) =>
      original.popularity === null ? (
        <span className="text-muted">{t.items.noPopularity}</span>
      ) : (
        format.decimal(original.popularity)
      ),
  },
];

/** Narrows the search to what a cell says. */
function FilterLink({
  filters,
  children,
}: {
  filters: Parameters<typeof pathOf.items>[0];
  children: string;
}) {
  return (
    <Link
      href={pathOf.items(filters)}
      className="inline-block rounded-sm py-0.5 underline-offset-2 hover:underline"
    >
      {children}
    </Link>
  );
}
