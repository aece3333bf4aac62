import { useEffect, useRef, type ReactNode } from "react";

import { t } from "@/strings/en";

import { announce } from "./Announcer";

let first = true;

/** The page's one h1. Where a page follows another it takes the focus, so that the keyboard goes on from there. */
export function PageHeading({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${t.app.name}`;
    if (first) {
      first = false;
      return;
    }
    announce(t.app.pageShown(title));
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight">
          {title}
        </h1>
        {lead && <p className="mt-1 text-sm text-muted">{lead}</p>}
      </div>
      {children}
    </header>
  );
}
