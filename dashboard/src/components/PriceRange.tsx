import { useCallback } from "react";

import { priceOf } from "@/lib/typed";
import { t } from "@/strings/en";

import { SearchField } from "./SearchField";

interface Props {
  min: string;
  max: string;
  /** Told the bound that was typed, as it was typed. It must stay the same function. */
  onChange: (change: { min: string } | { max: string }) => void;
}

/** From which price to which; empty: any. */
export function PriceRange({ min, max, onChange }: Props) {
  const from = useCallback(
    (typed: string) => {
      onChange({ min: typed });
    },
    [onChange],
  );
  const upTo = useCallback(
    (typed: string) => {
      onChange({ max: typed });
    },
    [onChange],
  );
  return (
    <div className="grid grid-cols-2 gap-3">
      <SearchField
        label={t.narrow.min}
        inputMode="decimal"
        error={errorOf(min)}
        value={min}
        onSearch={from}
      />
      <SearchField
        label={t.narrow.max}
        inputMode="decimal"
        error={errorOf(max)}
        value={max}
        onSearch={upTo}
      />
    </div>
  );
}

function errorOf(typed: string): string | undefined {
  return typed.trim() === "" || priceOf(typed) !== null ? undefined : t.narrow.noPrice;
}
