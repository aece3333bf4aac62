import { X } from "lucide-react";
import { useCallback } from "react";

import { Button } from "@/components/Button";
import { NameField } from "@/components/NameField";
import { PriceRange } from "@/components/PriceRange";
import { SearchField } from "@/components/SearchField";
import { t } from "@/strings/en";

import { filtersSet, NO_FILTERS, type SearchState } from "./search";

interface Props {
  state: SearchState;
  /** What is typed letter by letter makes no entries of the history. */
  narrow: (change: Partial<typeof NO_FILTERS>, options?: { replace?: boolean }) => void;
}

/** Words, category, brand and prices that narrow the search. */
export function ItemFilters({ state, narrow }: Props) {
  const search = useCallback(
    (query: string) => {
      narrow({ query }, { replace: true });
    },
    [narrow],
  );
  const price = useCallback(
    (bound: { min: string } | { max: string }) => {
      narrow(bound, { replace: true });
    },
    [narrow],
  );
  return (
    <search className="mb-4 block">
      <div className="grid items-start gap-3 sm:grid-cols-2 xl:grid-cols-[2fr_1fr_1fr_1fr]">
        <SearchField
          label={t.items.search}
          placeholder={t.items.searchHint}
          value={state.query}
          onSearch={search}
        />
        <NameField
          label={t.narrow.category}
          of="categories"
          value={state.category}
          onChange={(category) => {
            narrow({ category });
          }}
        />
        <NameField
          label={t.narrow.brand}
          of="brands"
          value={state.brand}
          onChange={(brand) => {
            narrow({ brand });
          }}
        />
        <PriceRange min={state.min} max={state.max} onChange={price} />
      </div>
      {filtersSet(state) && (
        <Button
          look="quiet"
          size="small"
          className="mt-2"
          onClick={() => {
            narrow(NO_FILTERS);
          }}
        >
          <X aria-hidden="true" className="size-3.5" />
          {t.narrow.clear}
        </Button>
      )}
    </search>
  );
}
