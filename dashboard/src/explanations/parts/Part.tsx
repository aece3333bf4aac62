import type { ReactNode } from "react";

/** A part of an explanation under its heading. */
export function Part({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <section className="border-t border-line pt-5">
      <h3 className="font-semibold">{title}</h3>
      {lead && <p className="mt-1 max-w-prose text-sm text-muted">{lead}</p>}
      <div className="mt-3">{children}</div>
    </section>
  );
}
