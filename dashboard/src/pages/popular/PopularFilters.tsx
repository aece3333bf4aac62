import { X } from "lucide-react";
import { useCallback } from "react";

import { Button } from "@/components/Button";
import { SelectField } from "@/components/Field";
import { NameField } from "@/components/NameField";
import { PriceRange } from "@/components/PriceRange";
import { SearchField } from "@/components/SearchField";
import { t } from "@/strings/en";

import { LENGTHS, NO_FILTERS, type State } from "./asked";

interface Props {
  state: State;
  narrow: (change: Partial<State>, options?: { replace?: boolean }) => void;
}

/** Category, brand, prices and scenario that narrow the list, and how long its pages are. */
export function PopularFilters({ state, narrow }: Props) {
  const typed = useCallback(
    (change: Partial<State>) => {
      narrow(change, { replace: true });
    },
    [narrow],
  );
  const scenario = useCallback(
    (name: string) => {
      typed({ scenario: name });
    },
    [typed],
  );
  const filtered = Object.entries(NO_FILTERS).some(([name, none]) => state[name as keyof State] !== none);
  return (
    <search className="mb-6 block">
      <div className="grid items-start gap-3 sm:grid-cols-2 xl:grid-cols-5">
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
        <PriceRange min={state.min} max={state.max} onChange={typed} />
        <SearchField
          label={t.popular.scenario}
          hint={t.popular.scenarioHint}
          maxLength={100}
          value={state.scenario}
          onSearch={scenario}
        />
        <SelectField
          label={t.popular.length}
          value={state.k}
          options={LENGTHS.map((length) => ({ value: String(length), label: String(length) }))}
          onChange={(k) => {
            narrow({ k });
          }}
        />
      </div>
      {filtered && (
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
