import type { ReactNode } from "react";

interface Props {
  caption: string;
  columns: string[];
  rows: ReactNode[][];
}

/** A table that is read as it is; on small screens it scrolls by itself. */
export function PlainTable({ caption, columns, rows }: Props) {
  return (
    <div
      role="region"
      aria-label={caption}
      tabIndex={0}
      className="relative max-h-[32rem] overflow-auto rounded-lg border border-line"
    >
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-b border-line text-left">
            {columns.map((column) => (
              <th
                key={column}
                scope="col"
                className="sticky top-0 bg-surface px-3 py-2 text-xs font-medium whitespace-nowrap text-muted"
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row} className="border-b border-line last:border-0">
              {cells.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row" className="px-3 py-1.5 text-left font-medium">
                    {cell}
                  </th>
                ) : (
                  <td key={column} className="px-3 py-1.5">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
