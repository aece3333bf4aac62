import { useCallback } from "react";

import { ClearButton, NarrowFields, type Narrow } from "@/components/NarrowFields";
import { SearchField } from "@/components/SearchField";
import { t } from "@/strings/en";

import { filtersSet, NO_FILTERS, type SearchState } from "./search";

interface Props {
  state: SearchState;
  narrow: Narrow<typeof NO_FILTERS>;
}

/** Words, category, brand and prices that narrow the search. */
export function ItemFilters({ state, narrow }: Props) {
  const search = useCallback(
    (query: string) => {
      narrow({ query }, { replace: true });
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
        <NarrowFields state={state} narrow={narrow} />
      </div>
      {filtersSet(state) && (
        <ClearButton
          onClear={() => {
            narrow(NO_FILTERS);
          }}
        />
      )}
    </search>
  );
}
