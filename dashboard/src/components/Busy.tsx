import type { ReactNode } from "react";

/** What is shown is of before: another answer is on its way. */
export function Busy({ busy, children }: { busy: boolean; children: ReactNode }) {
  return (
    <div aria-busy={busy} className={busy ? "opacity-60" : undefined}>
      {children}
    </div>
  );
}
