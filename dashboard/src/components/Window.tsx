import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import { useRef, type ReactNode } from "react";

import { t } from "@/strings/en";

import { Button } from "./Button";

interface Props {
  open: boolean;
  onClose: () => void;
  title: string;
  lead?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

/** A window over the page. It holds the focus, Escape closes it, and the focus goes back to where it came from. */
export function Window({ open, onClose, title, lead, wide = false, children }: Props) {
  const cameFrom = useRef<Element | null>(null);
  return (
    <Dialog.Root open={open} onOpenChange={(now) => !now && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          // Radix gives the focus back to a Dialog.Trigger alone; windows here are opened by any button or link.
          onOpenAutoFocus={() => {
            cameFrom.current = document.activeElement;
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
          }}
          className={
            "fixed inset-x-2 top-2 bottom-2 z-50 mx-auto flex flex-col overflow-hidden rounded-xl border border-line " +
            `bg-surface shadow-2xl sm:inset-x-6 sm:top-8 sm:bottom-8 ${wide ? "max-w-5xl" : "max-w-2xl"}`
          }
        >
          <div className="flex items-start justify-between gap-4 border-b border-line px-5 py-4">
            <div className="min-w-0">
              <Dialog.Title className="text-lg font-semibold">{title}</Dialog.Title>
              {lead && <div className="mt-0.5 text-sm text-muted">{lead}</div>}
            </div>
            <Dialog.Close asChild>
              <Button look="quiet" size="small" className="shrink-0">
                <X aria-hidden="true" className="size-4" />
                {t.actions.close}
              </Button>
            </Dialog.Close>
          </div>
          {/* The content scrolls by keyboard, too. */}
          <div
            role="region"
            aria-label={title}
            tabIndex={0}
            className="min-h-0 flex-1 overflow-y-auto px-5 py-4"
          >
            {children}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
