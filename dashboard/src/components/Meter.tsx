import type { ReactNode } from "react";

interface Props {
  label: ReactNode;
  /** From 0 to 1. */
  share: number;
  text: string;
  /** What the bar says of the number, where that is not how much of a whole it is. */
  note?: string;
}

/** A number as a bar, and as itself. */
export function Meter({ label, share, text, note }: Props) {
  return (
    <div className="min-w-0 text-xs" title={note}>
      <div className="flex items-baseline justify-between gap-2">
        <span className="min-w-0 wrap-anywhere text-muted">{label}</span>
        <span className="shrink-0 font-medium">{text}</span>
        {note && <span className="sr-only">{note}</span>}
      </div>
      <div aria-hidden="true" className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunken">
        <div
          className="h-full rounded-full bg-accent"
          style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }}
        />
      </div>
    </div>
  );
}
