import { flexRender, getCoreRowModel, useReactTable, type ColumnDef } from "@tanstack/react-table";
import { ArrowDown, ArrowUp, ArrowUpDown } from "lucide-react";

export interface Sort {
  /** Id of a column. */
  by: string;
  descending: boolean;
}

interface Props<Row> {
  caption: string;
  columns: ColumnDef<Row>[];
  rows: Row[];
  rowId: (row: Row) => string;
  /** How rows are sorted already: by the server, or by the page. Columns with `enableSorting` get a button. */
  sort?: Sort;
  onSort?: (sort: Sort) => void;
}

/** A table of plain cells that can be sorted by its headings. On small screens it scrolls by itself. */
export function DataTable<Row>({ caption, columns, rows, rowId, sort, onSort }: Props<Row>) {
  const table = useReactTable({
    data: rows,
    columns,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
    manualSorting: true,
    defaultColumn: { enableSorting: false },
  });
  return (
    // A region that scrolls can be reached by the keyboard.
    <div
      role="region"
      aria-label={caption}
      tabIndex={0}
      className="relative overflow-x-auto rounded-xl border border-line bg-surface"
    >
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className="border-b border-line text-left">
              {group.headers.map(({ id, column, getContext }) => {
                const heading = flexRender(column.columnDef.header, getContext());
                const sortable = onSort !== undefined && column.columnDef.enableSorting === true;
                const here = sort?.by === id ? (sort.descending ? "descending" : "ascending") : "none";
                return (
                  <th
                    key={id}
                    scope="col"
                    aria-sort={sortable ? here : undefined}
                    className="px-4 py-2.5 text-xs font-medium whitespace-nowrap text-muted"
                  >
                    {sortable ? (
                      <SortButton
                        state={here}
                        onClick={() => {
                          onSort({ by: id, descending: here === "ascending" });
                        }}
                      >
                        {heading}
                      </SortButton>
                    ) : (
                      heading
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id} className="border-b border-line last:border-0 hover:bg-sunken">
              {row.getVisibleCells().map((cell) => (
                <td key={cell.id} className="px-4 py-2.5 align-middle">
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const ICONS = { ascending: ArrowUp, descending: ArrowDown, none: ArrowUpDown };

interface SortButtonProps {
  state: keyof typeof ICONS;
  onClick: () => void;
  children: React.ReactNode;
}

function SortButton({ state, onClick, children }: SortButtonProps) {
  const Icon = ICONS[state];
  return (
    <button
      type="button"
      onClick={onClick}
      className="inline-flex min-h-6 items-center gap-1 rounded-sm hover:text-ink"
    >
      {children}
      <Icon aria-hidden="true" className="size-3.5" />
    </button>
  );
}
