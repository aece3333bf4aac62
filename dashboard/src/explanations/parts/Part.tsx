import { createContext, use, type ReactNode } from "react";

/** Level of the parts' headings, one below the heading that they stand under. */
export const PartLevel = createContext<3 | 4>(3);

/** A part of an explanation under its heading. */
export function Part({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  const Heading = use(PartLevel) === 3 ? "h3" : "h4";
  return (
    <section className="border-t border-line pt-5">
      <Heading className="font-semibold">{title}</Heading>
      {lead && <p className="mt-1 max-w-prose text-sm text-muted">{lead}</p>}
      <div className="mt-3">{children}</div>
    </section>
  );
}
