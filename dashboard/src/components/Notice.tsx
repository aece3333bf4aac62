import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

const LOOKS = {
  info: { icon: Info, look: "bg-accent-soft text-ink" },
  warn: { icon: TriangleAlert, look: "bg-warn-soft text-warn" },
  bad: { icon: CircleAlert, look: "bg-bad-soft text-bad" },
};

/** Something that a person should know of what is shown. */
export function Notice({ tone = "info", children }: { tone?: keyof typeof LOOKS; children: ReactNode }) {
  const { icon: Icon, look } = LOOKS[tone];
  return (
    <div role="note" className={`flex items-start gap-3 rounded-lg px-4 py-3 text-sm ${look}`}>
      <Icon aria-hidden="true" className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0">{children}</div>
    </div>
  );
}
