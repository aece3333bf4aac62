import { ChevronDown, SlidersHorizontal } from "lucide-react";
import { useCallback, useId, useState } from "react";

import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { SelectField } from "@/components/Field";
import { PriceRange } from "@/components/PriceRange";
import { localField, momentOf } from "@/lib/moments";
import { packNames, unpackNames } from "@/lib/names";
import { t } from "@/strings/en";

import { CommitField } from "./CommitField";
import { NamesField } from "./NamesField";
import { filtersSet, NO_FILTERS, type Change, type State } from "./state";

const text = t.recommendations.filters;

/** What narrows the list. Hidden at first; how many are set is told in any case. */
export function Filters({ state, change }: { state: State; change: Change }) {
  const [open, setOpen] = useState(filtersSet(state) > 0);
  const id = useId();
  const set = filtersSet(state);
  return (
    <div className="mt-3 border-t border-line pt-3">
      <div className="flex flex-wrap items-center gap-2">
        <Button
          look="quiet"
          size="small"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => {
            setOpen(!open);
          }}
        >
          <SlidersHorizontal aria-hidden="true" className="size-3.5" />
          {text.title}
          <ChevronDown aria-hidden="true" className={`size-3.5 ${open ? "rotate-180" : ""}`} />
        </Button>
        {set > 0 && (
          <>
            <Badge tone="accent">{text.active(set)}</Badge>
            <Button
              look="quiet"
              size="small"
              onClick={() => {
                change({ ...NO_FILTERS, page: "1" });
              }}
            >
              {text.clear}
            </Button>
          </>
        )}
      </div>
      <div id={id} hidden={!open}>
        {open && <Fields state={state} change={change} />}
      </div>
    </div>
  );
}

function Fields({ state, change }: { state: State; change: Change }) {
  const narrow: Change = (some) => {
    change({ ...some, page: "1" });
  };
  const narrowAsTyped = useCallback(
    (some: Partial<State>) => {
      change({ ...some, page: "1" }, { replace: true });
    },
    [change],
  );
  return (
    <div className="mt-3 grid gap-x-4 gap-y-3 sm:grid-cols-2 xl:grid-cols-4">
      <NamesField
        label={t.narrow.category}
        of="categories"
        chosen={unpackNames(state.category)}
        onChange={(names) => {
          narrow({ category: packNames(names) });
        }}
      />
      <NamesField
        label={t.narrow.brand}
        of="brands"
        chosen={unpackNames(state.brand)}
        onChange={(names) => {
          narrow({ brand: packNames(names) });
        }}
      />
      <PriceRange min={state.min} max={state.max} onChange={narrowAsTyped} />
      <SelectField
        label={text.seen}
        value={state.seen}
        options={Object.entries(text.seenNames).map(([value, label]) => ({ value, label }))}
        onChange={(seen) => {
          narrow({ seen });
        }}
      />
      <CommitField
        label={text.asOf}
        hint={text.asOfHint}
        type="datetime-local"
        value={localField(state.as_of)}
        onCommit={(field) => {
          narrow({ as_of: momentOf(field) });
        }}
      />
      <CommitField
        label={text.scenario}
        hint={text.scenarioHint}
        maxLength={100}
        value={state.scenario}
        onCommit={(scenario) => {
          narrow({ scenario: scenario.trim() });
        }}
      />
    </div>
  );
}
