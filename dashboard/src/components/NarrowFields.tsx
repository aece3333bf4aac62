import { X } from "lucide-react";
import { useCallback } from "react";

import { t } from "@/strings/en";

import { Button } from "./Button";
import { NameField } from "./NameField";
import { PriceRange } from "./PriceRange";

interface Narrowed {
  category: string;
  brand: string;
  min: string;
  max: string;
}

/** Changes what narrows a list. What is typed letter by letter makes no entries of the history. */
export type Narrow<State> = (change: Partial<State>, options?: { replace?: boolean }) => void;

/** Category, brand and prices, each of which narrows a list. */
export function NarrowFields({ state, narrow }: { state: Narrowed; narrow: Narrow<Narrowed> }) {
  const price = useCallback(
    (bound: { min: string } | { max: string }) => {
      narrow(bound, { replace: true });
    },
    [narrow],
  );
  return (
    <>
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
    </>
  );
}

/** Takes back all that narrows a list. */
export function ClearButton({ onClear }: { onClear: () => void }) {
  return (
    <Button look="quiet" size="small" className="mt-2" onClick={onClear}>
      <X aria-hidden="true" className="size-3.5" />
      {t.narrow.clear}
    </Button>
  );
}
