import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

import { t } from "@/strings/en";

import { announce } from "./Announcer";
import { Button } from "./Button";

/** Copies an id, and says so. */
export function CopyId({ id }: { id: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => {
      setCopied(false);
    }, 1500);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  const Icon = copied ? Check : Copy;
  return (
    <Button
      look="quiet"
      size="small"
      aria-label={t.actions.copyIdOf(id)}
      onClick={() => {
        navigator.clipboard.writeText(id).then(
          () => {
            setCopied(true);
            announce(t.actions.copied(id));
          },
          () => {
            announce(t.actions.notCopied);
          },
        );
      }}
    >
      <Icon aria-hidden="true" className="size-3.5" />
      {copied ? t.actions.copiedShort : t.actions.copyId}
    </Button>
  );
}
