import { Inbox } from "lucide-react";
import type { ReactNode } from "react";

/** Nothing to show, and what can be done about it. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div
      data-state="empty"
      className="flex flex-col items-center gap-2 rounded-xl border border-dashed border-line-strong px-6 py-12 text-center"
    >
      <Inbox aria-hidden="true" className="size-8 text-muted" />
      <p className="font-medium">{title}</p>
      {children && <div className="text-sm text-muted">{children}</div>}
    </div>
  );
}
