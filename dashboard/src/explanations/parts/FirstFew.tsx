import { useState, type ReactNode } from "react";

import { Button } from "@/components/Button";
import { t } from "@/strings/en";

interface Props<T> {
  items: readonly T[];
  first: number;
  children: (shown: readonly T[]) => ReactNode;
}

/** The first of some things, and the others on demand. */
export function FirstFew<T>({ items, first, children }: Props<T>) {
  const [all, setAll] = useState(false);
  return (
    <>
      {children(all ? items : items.slice(0, first))}
      {items.length > first && (
        <Button
          size="small"
          className="mt-3"
          aria-expanded={all}
          onClick={() => {
            setAll(!all);
          }}
        >
          {all ? t.why.showFewer : t.why.showAll(items.length)}
        </Button>
      )}
    </>
  );
}
