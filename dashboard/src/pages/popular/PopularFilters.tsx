import { useCallback } from "react";

import { SelectField } from "@/components/Field";
import { ClearButton, NarrowFields, type Narrow } from "@/components/NarrowFields";
import { SearchField } from "@/components/SearchField";
import { LENGTHS } from "@/lib/listPages";
import { t } from "@/strings/en";

import { NO_FILTERS, type State } from "./asked";

interface Props {
  state: State;
  narrow: Narrow<State>;
}

/** Category, brand, prices and scenario that narrow the list, and how long its pages are. */
export function PopularFilters({ state, narrow }: Props) {
  const scenario = useCallback(
    (name: string) => {
      narrow({ scenario: name }, { replace: true });
    },
    [narrow],
  );
  const filtered = Object.entries(NO_FILTERS).some(([name, none]) => state[name as keyof State] !== none);
  return (
    <search className="mb-6 block">
      <div className="grid items-start gap-3 sm:grid-cols-2 xl:grid-cols-5">
        <NarrowFields state={state} narrow={narrow} />
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
        <ClearButton
          onClear={() => {
            narrow(NO_FILTERS);
          }}
        />
      )}
    </search>
  );
}
