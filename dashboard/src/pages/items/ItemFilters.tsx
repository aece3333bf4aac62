import { X } from "lucide-react";
import { useCallback } from "react";

import { Button } from "@/components/Button";
import { SearchField } from "@/components/SearchField";
import { t } from "@/strings/en";

import { filtersSet, NO_FILTERS, priceOf, type SearchState } from "./search";
import { NameField } from "./NameField";

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
  const from = useCallback(
    (min: string) => {
      narrow({ min }, { replace: true });
    },
    [narrow],
  );
  const upTo = useCallback(
    (max: string) => {
      narrow({ max }, { replace: true });
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
          label={t.items.category}
          of="categories"
          value={state.category}
          onChange={(category) => {
            narrow({ category });
          }}
        />
        <NameField
          label={t.items.brand}
          of="brands"
          value={state.brand}
          onChange={(brand) => {
            narrow({ brand });
          }}
        />
        <div className="grid grid-cols-2 gap-3">
          <SearchField
            label={t.items.min}
            inputMode="decimal"
            error={priceError(state.min)}
            value={state.min}
            onSearch={from}
          />
          <SearchField
            label={t.items.max}
            inputMode="decimal"
            error={priceError(state.max)}
            value={state.max}
            onSearch={upTo}
          />
        </div>
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
          {t.items.clear}
        </Button>
      )}
    </search>
  );
}

function priceError(typed: string): string | undefined {
  return typed.trim() === "" || priceOf(typed) !== null ? undefined : t.items.noPrice;
}
