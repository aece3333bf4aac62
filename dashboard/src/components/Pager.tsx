import { ChevronLeft, ChevronRight } from "lucide-react";

import { t } from "@/strings/en";

import { Button } from "./Button";

interface Props {
  /** What is shown, such as "1–24 of 500". */
  text: string;
  /** To the first page, where the page before is not known. */
  onFirst?: (() => void) | null;
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
}

/** The page before, and the one after; null where there is none. */
export function Pager({ text, onFirst = null, onPrevious, onNext }: Props) {
  return (
    <nav aria-label={t.pager.label} className="mt-6 flex flex-wrap items-center justify-between gap-3">
      <p className="text-sm text-muted">{text}</p>
      <div className="flex flex-wrap gap-2">
        {onFirst && !onPrevious && <Button onClick={onFirst}>{t.pager.first}</Button>}
        <Button disabled={!onPrevious} onClick={() => onPrevious?.()}>
          <ChevronLeft aria-hidden="true" className="size-4" />
          {t.pager.previous}
        </Button>
        <Button disabled={!onNext} onClick={() => onNext?.()}>
          {t.pager.next}
          <ChevronRight aria-hidden="true" className="size-4" />
        </Button>
      </div>
    </nav>
  );
}
